import { beforeAll } from 'vitest';
import type { ConformanceCase } from './conformance.ts';

/** What tests of a model format have: how a model comes to disk, and what its tensors are. */
export interface ModelFormat<M> {
  /** For as long as the tests run. */
  readonly write: (model: M) => Promise<string>;
  readonly reference: (
    model: M,
    tensor: string,
    input: Float32Array,
    rows: number,
  ) => Promise<Float32Array>;
}

/** The model as a case of tests that follow, on disk before they run. */
export function written<M>(
  model: M,
  { write, reference }: ModelFormat<M>,
): Pick<ConformanceCase, 'path' | 'reference'> {
  let path = '';
  beforeAll(async () => {
    path = await write(model);
  });
  return {
    path: () => path,
    reference: (tensor, input, rows) => reference(model, tensor, input, rows),
  };
}
