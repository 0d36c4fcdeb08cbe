import { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { CliIo } from './cli-io.ts';
import { askCluster, examples, withClusterFlags } from './cluster-command.ts';

interface BundleFlags extends ClusterFlags {
  readonly to?: string;
  readonly list?: boolean;
}

/** `layercache bundle NAME`: an archive for support, without secrets or inputs. */
export function bundleCommand(io: CliIo): Command {
  const command = new Command('bundle')
    .description(
      'write an archive for support: the service, its children, events, policy, evidence and logs, listed first; no Secret is read, and what may be secret is left out',
    )
    .argument('<name>', 'CachedModelService')
    .option('--to <file>', 'archive to write; else layercache-NAME.tar.gz')
    .option('--list', 'list what it would hold, and write nothing')
    .addHelpText(
      'after',
      examples(io, 'bundle vision --list', 'bundle vision -n ml --to vision.tar.gz'),
    )
    .action(async (name: string, flags: BundleFlags) => {
      const { gatherBundle } = await import('../commands/bundle/gather-bundle.ts');
      const { renderContents, writeBundle } = await import('../commands/bundle/write-bundle.ts');
      await askCluster(io, flags, async (cluster) => {
        const gathered = await gatherBundle(cluster, name);
        io.stderr.write(`${renderContents(gathered).join('\n')}\n`);
        if (flags.list === true) return;
        const path = flags.to ?? `layercache-${name}.tar.gz`;
        const folder = `layercache-${name}`;
        await writeBundle(gathered, { path, folder, nowMs: cluster.clock.nowMs() });
        io.stdout.write(`${path}\n`);
      });
    });
  return withClusterFlags(command);
}
