// Whether more threads answer one row sooner. Elapsed time, which they shorten; costs are processor time, which they do not.
import { performance } from 'node:perf_hooks';
import type {
  ModelDescription,
  ModelSource,
  SegmentEngine,
  SegmentPlan,
} from '../segment-engine.ts';
import { fixedRow } from './fixed-row.ts';

const MOST_ROUNDS = 15;
const BUDGET_MS = 500;

interface OpenEngine {
  readonly engine: SegmentEngine;
  readonly whole: SegmentPlan;
}

/**
 * Opens the model a second time for the trial and closes it again.
 * @returns what is left with the threads of `create` of the time of one row in `alone`: 0.6 is two fifths less. Median of rounds in which
 * both take their turn.
 */
export async function compareThreads(
  { model, ...alone }: OpenEngine & { readonly model: ModelDescription },
  source: ModelSource,
  create: (pause: () => Promise<void>) => SegmentEngine,
): Promise<number> {
  const engine = create(() => Promise.resolve());
  try {
    await engine.open(source);
    const together = { engine, whole: await engine.plan([]) };
    const row = fixedRow(model);
    const ratios: number[] = [];
    const untilMs = performance.now() + BUDGET_MS;
    do {
      const togetherMs = await passMs(together, row);
      ratios.push(togetherMs / (await passMs(alone, row)));
    } while (ratios.length < MOST_ROUNDS && performance.now() < untilMs);
    ratios.sort((a, b) => a - b);
    return ratios[Math.floor(ratios.length / 2)] ?? 1;
  } finally {
    await engine.close();
  }
}

async function passMs({ engine, whole }: OpenEngine, row: Float32Array): Promise<number> {
  const startMs = performance.now();
  await engine.output(whole, engine.upload(row, 1));
  return performance.now() - startMs;
}
