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

export function fixedRow({ inputs }: ModelDescription): Float32Array {
  const [, ...rowDims] = inputs[0]?.shape ?? [];
  const random = createRandom(SEED);
  const size = rowDims.reduce((product, dim) => product * dim, 1);
  return Float32Array.from({ length: size }, () => random.normal());
}
