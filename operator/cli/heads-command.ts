import { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { OpenedBundle } from '../commands/heads/read-bundle.ts';
import type { CliIo } from './cli-io.ts';
import {
  askCluster,
  examples,
  print,
  withClusterFlags,
  withOutputFlag,
  type OutputFlags,
} from './cluster-command.ts';
import type { Outcome } from './program.ts';

const ANSWER_IS_NO = 4;

type HeadsFlags = ClusterFlags & OutputFlags;

/** `layercache heads ...`: head revisions of a cluster, and the bundles behind them. */
export function headsCommand(io: CliIo, outcome: Outcome): Command {
  const heads = new Command('heads').description(
    'list head revisions; verify, compare and copy their bundles',
  );
  heads.addCommand(listCommand(io));
  heads.addCommand(verifyCommand(io, outcome));
  heads.addCommand(diffCommand(io, outcome));
  heads.addCommand(pullCommand(io));
  heads.addCommand(pushCommand(io));
  return heads;
}

function listCommand(io: CliIo): Command {
  const command = new Command('list')
    .description('head revisions, the newest first, with certificate and bound')
    .argument('[name]', 'CachedModelService; all without it')
    .addHelpText('after', examples(io, 'heads list vision', 'heads list -A -o wide'))
    .action(async (name: string | undefined, flags: HeadsFlags) => {
      const { listHeads } = await import('../commands/heads/list-heads.ts');
      await askCluster(io, flags, async (cluster) => {
        await print(io, flags, await listHeads(cluster, name));
      });
    });
  return withOutputFlag(withClusterFlags(command, 'Many'));
}

function verifyCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('verify')
    .description(
      'digest, shapes and known answers of a bundle, as a server looks at them; ends with 4 when it is not sound',
    )
    .argument('<bundle>', 'file, or name of a CacheHeadRevision')
    .addHelpText(
      'after',
      examples(io, 'heads verify bundle.lch', 'heads verify vision-3f2a9c1b77d0 -n ml'),
    )
    .action(async (name: string, flags: HeadsFlags) => {
      const { verifyBundle } = await import('../commands/heads/verify-bundle.ts');
      const verification = verifyBundle(await openBundle(io, flags, name));
      await print(io, flags, verification);
      if (!verification.isSound) outcome.exitCode = ANSWER_IS_NO;
    });
  return withOutputFlag(withClusterFlags(command));
}

function diffCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('diff')
    .description('what changed from one bundle to another; ends with 4 when they differ')
    .argument('<bundle>', 'file, or name of a CacheHeadRevision')
    .argument('<other-bundle>', 'the same')
    .addHelpText(
      'after',
      examples(
        io,
        'heads diff old.lch new.lch',
        'heads diff vision-3f2a9c1b77d0 vision-77d03f2a9c1b',
      ),
    )
    .action(async (before: string, after: string, flags: HeadsFlags) => {
      const { diffBundles } = await import('../commands/heads/diff-bundles.ts');
      const opened = [
        await openBundle(io, flags, before),
        await openBundle(io, flags, after),
      ] as const;
      const difference = diffBundles(...opened);
      await print(io, flags, difference);
      if (!difference.isSame) outcome.exitCode = ANSWER_IS_NO;
    });
  return withOutputFlag(withClusterFlags(command));
}

function pullCommand(io: CliIo): Command {
  const command = new Command('pull')
    .description('write the bundle of a head revision from its ConfigMap to a file')
    .argument('<revision>', 'CacheHeadRevision')
    .requiredOption('--to <file>', 'file to write')
    .addHelpText('after', examples(io, 'heads pull vision-3f2a9c1b77d0 -n ml --to vision.lch'))
    .action(async (name: string, flags: ClusterFlags & { readonly to: string }) => {
      const { openRevision } = await import('../commands/heads/read-bundle.ts');
      const { writeBundleFile } = await import('../commands/heads/write-bundle-file.ts');
      const opened = await askCluster(io, flags, (cluster) => openRevision(cluster, name));
      await writeBundleFile(flags.to, opened);
      io.stdout.write(`${flags.to}\n`);
    });
  return withClusterFlags(command);
}

function pushCommand(io: CliIo): Command {
  const command = new Command('push')
    .description(
      'make a head revision of a bundle, in a ConfigMap; nothing serves it before spec.heads.revision names it, and it takes its own certificate',
    )
    .argument('<bundle>', 'file')
    .requiredOption('--service <name>', 'CachedModelService that the heads are for')
    .addHelpText('after', examples(io, 'heads push vision.lch --service vision -n ml'))
    .action(async (file: string, flags: ClusterFlags & { readonly service: string }) => {
      const { openBundleFile } = await import('../commands/heads/read-bundle.ts');
      const { pushHeads } = await import('../commands/heads/push-heads.ts');
      const opened = await openBundleFile(file);
      const { service } = flags;
      const { name, wasThere } = await askCluster(io, flags, (cluster) =>
        pushHeads(cluster, service, opened),
      );
      io.stdout.write(`cacheheadrevision.layercache.io/${name}\n`);
      io.stderr.write(
        `${wasThere ? 'It was there already.' : 'It is made.'} Set spec.heads.revision of ${service} to ${name} to try it.\n`,
      );
    });
  return withClusterFlags(command);
}

async function openBundle(io: CliIo, flags: ClusterFlags, name: string): Promise<OpenedBundle> {
  const { isBundleFile, openBundleFile, openRevision } =
    await import('../commands/heads/read-bundle.ts');
  if (isBundleFile(name)) return openBundleFile(name);
  return askCluster(io, flags, (cluster) => openRevision(cluster, name));
}
