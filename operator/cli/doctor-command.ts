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
import type { Outcome } from './program.ts';

const HAS_FINDINGS = 4;

/** `layercache doctor`: what is wrong around the services; 4 when something is. */
export function doctorCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('doctor')
    .description(
      'look at API server, clocks, definitions, your rights, operator, monitoring, and of each service endpoint, engine and traffic against budget; ends with 4 when something is wrong',
    )
    .addHelpText('after', examples(io, 'doctor -n ml', 'doctor -A -o json'))
    .action(async (flags: ClusterFlags & OutputFlags) => {
      const { runDoctor } = await import('../commands/doctor/run-doctor.ts');
      await askCluster(io, flags, async (cluster) => {
        const diagnosis = await runDoctor(cluster, paintFor(io));
        await print(io, flags, diagnosis);
        if (diagnosis.hasFindings) outcome.exitCode = HAS_FINDINGS;
      });
    });
  return withOutputFlag(withClusterFlags(command, 'Many'));
}
