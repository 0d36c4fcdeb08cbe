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

/** `layercache explain NAME|REASON`: why exits of a service are on or off, or the page of a reason. */
export function explainCommand(io: CliIo): Command {
  const command = new Command('explain')
    .description(
      'why exits of a service are on or off, which evidence there is, what is missing and how long it takes at present traffic, why a rollout stopped; or what a reason of a condition, event or error means',
    )
    .argument('<name>', 'CachedModelService, or a reason such as HeadTooLarge')
    .addHelpText(
      'after',
      examples(io, 'explain vision', 'explain vision -n ml -o json', 'explain HeadTooLarge'),
    )
    .action(async (name: string, flags: ClusterFlags & OutputFlags) => {
      const { isReasonName, reasonNamed, renderReason } =
        await import('../commands/explain/render-reason.ts');
      if (isReasonName(name)) {
        await print(io, flags, renderReason(reasonNamed(name)));
        return;
      }
      const { showExplanation } = await import('../commands/explain/show-explanation.ts');
      await askCluster(io, flags, async (cluster) => {
        await print(io, flags, await showExplanation(cluster, name, paintFor(io)));
      });
    });
  return withOutputFlag(withClusterFlags(command));
}
