import { createRandom } from '../../core/random.ts';
import type { BackboneAnswer } from '../backbone-answer.ts';
import type { ModelDescription, SegmentEngine, SegmentPlan } from '../segment-engine.ts';

const SEED = 20;

/** Runs the whole backbone on one seeded row, the same in every process. */
export async function answerFixedRow(
  engine: SegmentEngine,
  whole: SegmentPlan,
  model: ModelDescription,
): Promise<BackboneAnswer> {
  return engine.output(whole, engine.upload(fixedRow(model), 1));
}

export function fixedRow(model: ModelDescription): Float32Array {
  const random = createRandom(SEED);
  return Float32Array.from({ length: rowSize(model) }, () => random.normal());
}

/** Values of one row of input. */
export function rowSize({ inputs }: ModelDescription): number {
  const [, ...rowDims] = inputs[0]?.shape ?? [];
  return rowDims.reduce((product, dim) => product * dim, 1);
}
