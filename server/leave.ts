import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { EvidenceReader } from './evidence/evidence-reader.ts';
import type { ServerLifecycle } from './lifecycle.ts';
import type { LoadedModel } from './loaded-model.ts';

export interface LeaveDependencies {
  readonly lifecycle: ServerLifecycle;
  readonly clock: Clock;
  readonly log: Logger;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly loaded: () => LoadedModel | null;
  readonly reader: EvidenceReader;
  /** Refuses new requests; resolves when none is under way. */
  readonly drain: () => Promise<void>;
  readonly closeData: (withinMs: number) => Promise<void>;
}

/**
 * The end of a pod, up to the moment at which its admin and metrics ports may close: not ready, serve on for the delay, finish what
 * is under way, keep the last evidence for one more pull. Delay and timeout bound the whole: a pod has ten seconds more than their
 * sum, for closing.
 */
export async function leave(dependencies: LeaveDependencies): Promise<void> {
  const { lifecycle, clock, log, loaded, reader } = dependencies;
  const { drainDelayMs, drainTimeoutMs } = dependencies;
  const { stage } = lifecycle;
  // Whoever asked for a drain before it ended the process is not served again.
  if (stage !== 'Draining') lifecycle.enter('Leaving');
  log.info({ component: 'server' }, 'leaving');
  // Nobody sends requests to a pod that was never ready, or that has refused them already.
  if (stage === 'Serving' || stage === 'Leaving') await delay(drainDelayMs);

  const untilMs = clock.monotonicMs() + drainTimeoutMs;
  const leftMs = (): number => Math.max(0, untilMs - clock.monotonicMs());
  await Promise.race([dependencies.drain(), delay(leftMs())]);
  await dependencies.closeData(leftMs());
  const model = loaded();
  if (model === null) return;
  await model.windows.close();
  const isRead = await reader.allRead(model.ring, leftMs());
  log.info({ component: 'server', isRead }, 'last evidence kept');
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
