import { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { CliIo } from './cli-io.ts';
import {
  askCluster,
  examples,
  paintFor,
  print,
  withClusterFlags,
  withOutputFlag,
  type OutputFlags,
} from './cluster-command.ts';

/** `layercache status NAME`: one screen about one service. */
export function statusCommand(io: CliIo): Command {
  const command = new Command('status')
    .description(
      'one screen about a service: endpoint, exits, what the audits say, rollout, conditions, last decisions',
    )
    .argument('<name>', 'CachedModelService')
    .addHelpText('after', examples(io, 'status vision', 'status vision -n ml -o json'))
    .action(async (name: string, flags: ClusterFlags & OutputFlags) => {
      const { showStatus } = await import('../commands/status/show-status.ts');
      await askCluster(io, flags, async (cluster) => {
        await print(io, flags, await showStatus(cluster, name, paintFor(io)));
      });
    });
  return withOutputFlag(withClusterFlags(command));
}
