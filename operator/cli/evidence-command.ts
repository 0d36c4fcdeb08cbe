import { Command } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { CliIo } from './cli-io.ts';
import {
  askCluster,
  examples,
  print,
  withClusterFlags,
  withOutputFlag,
  type OutputFlags,
} from './cluster-command.ts';

/** `layercache evidence NAME`: the merged grid of audits. */
export function evidenceCommand(io: CliIo): Command {
  const command = new Command('evidence')
    .description(
      'what the audits of all pods say together: for each lambda how many rows leave early, how many of them disagree or what F1 their boxes lose, and what is missing for a certificate',
    )
    .argument('<name>', 'CachedModelService')
    .addHelpText('after', examples(io, 'evidence vision', 'evidence vision -o json'))
    .action(async (name: string, flags: ClusterFlags & OutputFlags) => {
      const { showEvidence } = await import('../commands/evidence/show-evidence.ts');
      await askCluster(io, flags, async (cluster) => {
        await print(io, flags, await showEvidence(cluster, name));
      });
    });
  return withOutputFlag(withClusterFlags(command));
}
