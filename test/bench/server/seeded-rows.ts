import { createRandom } from '../../../server/core/random.ts';

const DISTINCT_ROWS = 32;

/** The rows of every load, normal values from one seed. @param rowShape without the batch axis */
export function seededRows(rowShape: readonly number[]): Float32Array[] {
  const random = createRandom(11);
  const length = rowShape.reduce((product, extent) => product * extent, 1);
  return Array.from({ length: DISTINCT_ROWS }, () =>
    Float32Array.from({ length }, () => random.normal()),
  );
}
