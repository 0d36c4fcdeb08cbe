import { Command, Option } from 'commander';
import type { Cluster, ClusterFlags } from '../commands/cluster/cluster.ts';
import type { Wait } from '../commands/service/await-service.ts';
import type { CliIo } from './cli-io.ts';
import {
  askCluster,
  examples,
  print,
  withClusterFlags,
  withOutputFlag,
  type OutputFlags,
} from './cluster-command.ts';
import { createInterrupt, INTERRUPTED } from './interrupt.ts';
import { duration } from './parse-flags.ts';
import type { Outcome } from './program.ts';

const TIMED_OUT = 3;
const ANSWER_IS_NO = 4;

export interface WaitFlags extends ClusterFlags {
  readonly timeout: number;
}

/** `layercache rollout ...`: the candidate of a service, by request annotations; no verb edits the spec. */
export function rolloutCommand(io: CliIo, outcome: Outcome): Command {
  const rollout = new Command('rollout').description(
    'look at the rollout of new heads, hold it, promote or abort it; the spec is never edited',
  );
  rollout.addCommand(rolloutStatusCommand(io, outcome));
  rollout.addCommand(
    verb(io, 'pause', 'hold the running step; aborts still fire', {
      outcome,
      act: async (...asked) => {
        const { pauseRollout } = await import('../commands/rollout/hold-rollout.ts');
        return pauseRollout(...asked);
      },
    }),
  );
  rollout.addCommand(
    verb(io, 'resume', 'withdraw a pause', {
      outcome,
      act: async (...asked) => {
        const { resumeRollout } = await import('../commands/rollout/hold-rollout.ts');
        return resumeRollout(...asked);
      },
    }),
  );
  rollout.addCommand(
    verb(
      io,
      'promote',
      'skip the steps that are left; never the certificate, and every ready pod has to hold the heads',
      { outcome, act: requestOf('promote') },
    ),
  );
  rollout.addCommand(
    verb(io, 'abort', 'give up the candidate; what was in force stays', {
      outcome,
      act: requestOf('abort'),
    }),
  );
  return rollout;
}

function requestOf(name: 'promote' | 'abort') {
  return async (cluster: Cluster, service: string, wait: Wait): Promise<string> => {
    const { sendRequest } = await import('../commands/rollout/send-request.ts');
    const { result, message } = await sendRequest(cluster, service, name, wait);
    return `${result === 'NoOp' ? 'Nothing to do: ' : ''}${message}`;
  };
}

/** A command that asks the operator for something and waits for what became of it. */
function verb(
  io: CliIo,
  name: string,
  description: string,
  parts: {
    readonly outcome: Outcome;
    readonly act: (cluster: Cluster, service: string, wait: Wait) => Promise<string>;
  },
): Command {
  const command = new Command(name)
    .description(description)
    .argument('<name>', 'CachedModelService')
    .addHelpText('after', examples(io, `rollout ${name} vision -n ml`));
  return withWaitFlag(withClusterFlags(command)).action(
    async (service: string, flags: WaitFlags) => {
      await sayOutcome(io, parts.outcome, flags, (cluster, wait) =>
        parts.act(cluster, service, wait),
      );
    },
  );
}

export function withWaitFlag(command: Command): Command {
  return command.addOption(
    new Option('--timeout <duration>', 'how long to wait for the operator')
      .default(120_000, '2m')
      .argParser(duration),
  );
}

/** Prints one sentence about what became of a request. Ctrl-C ends the waiting, not the request. */
export async function sayOutcome(
  io: CliIo,
  outcome: Outcome,
  flags: WaitFlags,
  act: (cluster: Cluster, wait: Wait) => Promise<string>,
): Promise<void> {
  const interrupt = createInterrupt();
  try {
    const wait = { timeoutMs: flags.timeout, interrupt: interrupt.signal };
    const said = await askCluster(io, flags, (cluster) => act(cluster, wait));
    io.stdout.write(`${said}\n`);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    io.stderr.write('Interrupted: nobody waits any more; what was asked for stands.\n');
    outcome.exitCode = INTERRUPTED;
  } finally {
    interrupt.close();
  }
}

interface StatusFlags extends WaitFlags, OutputFlags {
  readonly watch?: boolean;
}

function rolloutStatusCommand(io: CliIo, outcome: Outcome): Command {
  const command = new Command('status')
    .description(
      'where the rollout stands; with --watch until it has ended, and 4 if it was not promoted',
    )
    .argument('<name>', 'CachedModelService')
    .option('-w, --watch', 'follow it to its end')
    .addHelpText(
      'after',
      examples(io, 'rollout status vision', 'rollout status vision --watch --timeout 2h'),
    )
    .action(async (name: string, flags: StatusFlags) => {
      const { renderRollout } = await import('../commands/rollout/rollout-status.ts');
      const { getServiceView } = await import('../commands/service/find-service.ts');
      await askCluster(io, flags, async (cluster) => {
        const service =
          flags.watch === true
            ? await follow(io, outcome, cluster, { name, flags })
            : await getServiceView(cluster, name);
        await print(io, flags, renderRollout(service, cluster.clock.nowMs()));
      });
    });
  return withOutputFlag(withWaitFlag(withClusterFlags(command)));
}

/** Follows a rollout; what became of it is the exit code. */
async function follow(
  io: CliIo,
  outcome: Outcome,
  cluster: Cluster,
  { name, flags }: { readonly name: string; readonly flags: StatusFlags },
) {
  const rollout = await import('../commands/rollout/rollout-status.ts');
  const { getServiceView } = await import('../commands/service/find-service.ts');
  const interrupt = createInterrupt();
  try {
    const wait = { timeoutMs: flags.timeout, interrupt: interrupt.signal };
    const ended = await rollout.watchRollout(cluster, name, wait, (service) => {
      io.stderr.write(`${rollout.rolloutLine(service)}\n`);
    });
    if (ended === null) outcome.exitCode = interrupt.signal.aborted ? INTERRUPTED : TIMED_OUT;
    else if (rollout.hasFailed(ended)) outcome.exitCode = ANSWER_IS_NO;
    return ended ?? (await getServiceView(cluster, name));
  } finally {
    interrupt.close();
  }
}
