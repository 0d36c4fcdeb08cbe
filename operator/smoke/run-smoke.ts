import { errorText } from '../../server/core/system-error.ts';
import { CliError } from '../errors.ts';
import { sleep, type KubeClock } from '../kube/clock.ts';
import type { SmokeCluster } from './smoke-cluster.ts';
import { NotYet, SMOKE_STEPS, type SmokeStep } from './smoke-steps.ts';

export interface SmokeRun {
  readonly cluster: SmokeCluster;
  readonly clock: KubeClock;
  readonly deadlineMs: number;
  /** Asked to end: the service is taken away first. */
  readonly interrupt: AbortSignal;
  readonly print: (line: string) => void;
}

const POLL_MS = 1_000;

/**
 * Goes through the steps, a line for each, and takes its service away whatever happens. Throws `SmokeFailed`, or
 * `SmokeTimedOut` when a step did not come true in time.
 */
export async function runSmoke(run: SmokeRun): Promise<void> {
  const endMs = run.clock.monotonicMs() + run.deadlineMs;
  try {
    for (const step of SMOKE_STEPS) await passStep(run, step, endMs);
  } catch (error) {
    await takeAway(run);
    throw error;
  }
}

async function passStep(run: SmokeRun, step: SmokeStep, endMs: number): Promise<void> {
  const { clock, print } = run;
  const startMs = clock.monotonicMs();
  try {
    const seen = await untilTrue(run, step, endMs);
    const seconds = ((clock.monotonicMs() - startMs) / 1000).toFixed(1);
    print(`ok    ${step.title}: ${seen} (${seconds} s)`);
  } catch (error) {
    print(`FAIL  ${step.title}: ${errorText(error)}`);
    throw new CliError(error instanceof NotYet ? 'SmokeTimedOut' : 'SmokeFailed', {
      where: step.title,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}

async function untilTrue(run: SmokeRun, step: SmokeStep, endMs: number): Promise<string> {
  for (;;) {
    if (run.interrupt.aborted) throw new Error('it was told to end');
    try {
      return await step.check(run.cluster);
    } catch (error) {
      if (!(error instanceof NotYet) || run.clock.monotonicMs() + POLL_MS > endMs) throw error;
    }
    await sleep(run.clock, POLL_MS, run.interrupt);
  }
}

async function takeAway({ cluster, print }: SmokeRun): Promise<void> {
  try {
    await cluster.remove();
  } catch (error) {
    print(`      the service could not be deleted: ${errorText(error)}`);
  }
}
