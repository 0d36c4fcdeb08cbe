import { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { CliIo } from './cli-io.ts';
import { pullCommand, pushCommand } from './copy-heads-command.ts';
import { BUNDLE_PLACE, openBundle, withStoreFlags, type StoreCommandFlags } from './open-bundle.ts';
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

type HeadsFlags = ClusterFlags & OutputFlags & StoreCommandFlags;

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
    .argument('<bundle>', BUNDLE_PLACE)
    .addHelpText(
      'after',
      examples(
        io,
        'heads verify bundle.lch',
        'heads verify vision-3f2a9c1b77d0 -n ml',
        'heads verify oci://registry.example.com/team/heads:v3',
      ),
    )
    .action(async (name: string, flags: HeadsFlags) => {
      const { verifyBundle } = await import('../commands/heads/verify-bundle.ts');
      const verification = verifyBundle(await openBundle(io, flags, name));
      await print(io, flags, verification);
      if (!verification.isSound) outcome.exitCode = ANSWER_IS_NO;
    });
  return withOutputFlag(withStoreFlags(withClusterFlags(command)));
}

function diffCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('diff')
    .description('what changed from one bundle to another; ends with 4 when they differ')
    .argument('<bundle>', BUNDLE_PLACE)
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
  return withOutputFlag(withStoreFlags(withClusterFlags(command)));
}
