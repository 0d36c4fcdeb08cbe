import { Command, Option } from 'commander';
import type { ClusterFlags } from '../commands/cluster/cluster.ts';
import type { CliIo } from './cli-io.ts';
import { askCluster, examples, withClusterFlags } from './cluster-command.ts';
import { createInterrupt, INTERRUPTED } from './interrupt.ts';
import { wholeNumber } from './parse-flags.ts';
import type { Outcome } from './program.ts';

interface DashboardFlags extends ClusterFlags {
  readonly port: number;
}

/** `layercache dashboard NAME`: the page of local mode over a service of a cluster. */
export function dashboardCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('dashboard')
    .description(
      'the page of local mode for a service in a cluster, read-only and on loopback until Ctrl-C: traffic, exits, agreement, rollout, conditions',
    )
    .argument('<name>', 'CachedModelService')
    .addOption(
      new Option('--port <n>', 'port of the page; a free one when left out')
        .default(0, 'free')
        .argParser(wholeNumber(0, 65_535)),
    )
    .addHelpText('after', examples(io, 'dashboard vision', 'dashboard vision -n ml --port 8090'))
    .action(async (name: string, flags: DashboardFlags) => {
      const { showDashboard } = await import('../commands/dashboard/show-dashboard.ts');
      const interrupt = createInterrupt();
      try {
        await askCluster(io, flags, (cluster) =>
          showDashboard(cluster, {
            name,
            port: flags.port,
            bundleDir: io.bundleDir,
            interrupt: interrupt.signal,
            onServed: (url) => {
              io.stdout.write(`dashboard ${url}\n`);
              io.stderr.write(`${cluster.namespace}/${name}, read-only; Ctrl-C ends it.\n`);
            },
            onNews: (text) => {
              io.stderr.write(`${text}\n`);
            },
          }),
        );
      } finally {
        interrupt.close();
      }
      outcome.exitCode = INTERRUPTED;
    });
  return withClusterFlags(command);
}
