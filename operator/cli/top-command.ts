import { Command, Option } from 'commander';
import type { Cluster, ClusterFlags } from '../commands/cluster/cluster.ts';
import { sleep } from '../kube/clock.ts';
import type { CliIo } from './cli-io.ts';
import {
  askCluster,
  examples,
  print,
  withClusterFlags,
  withOutputFlag,
  type OutputFlags,
} from './cluster-command.ts';
import { createInterrupt } from './interrupt.ts';
import { duration } from './parse-flags.ts';

interface TopFlags extends ClusterFlags, OutputFlags {
  readonly watch?: boolean;
  readonly interval: number;
}

const CLEAR = '\u001b[H\u001b[2J';

/** `layercache top`: a line for each service, again and again with --watch. */
export function topCommand(io: CliIo): Command {
  const command = new Command('top')
    .description('all services at a glance, the busiest first: traffic, exits, agreement, rollout')
    .option('-w, --watch', 'go on until Ctrl-C')
    .addOption(
      new Option('--interval <duration>', 'of --watch').default(5_000, '5s').argParser(duration),
    )
    .addHelpText('after', examples(io, 'top -A', 'top -n ml --watch'))
    .action(async (flags: TopFlags) => {
      await askCluster(io, flags, (cluster) =>
        flags.watch === true ? watch(io, flags, cluster) : once(io, flags, cluster),
      );
    });
  return withOutputFlag(withClusterFlags(command, 'Many'));
}

async function once(io: CliIo, flags: TopFlags, cluster: Cluster): Promise<void> {
  const { showTop } = await import('../commands/top/show-top.ts');
  await print(io, flags, await showTop(cluster));
}

async function watch(io: CliIo, flags: TopFlags, cluster: Cluster): Promise<void> {
  const interrupt = createInterrupt();
  try {
    while (!interrupt.signal.aborted) {
      if (io.isColourful === true) io.stdout.write(CLEAR);
      await once(io, flags, cluster);
      await sleep(cluster.clock, flags.interval, interrupt.signal);
    }
  } finally {
    interrupt.close();
  }
}
