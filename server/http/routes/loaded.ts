import { ServingError } from '../../errors.ts';
import type { LoadedModel } from '../../loaded-model.ts';

/** The loaded model, or 503 while the engine starts. */
export function requireLoaded(loaded: () => LoadedModel | null): LoadedModel {
  const model = loaded();
  if (model === null) throw new ServingError('engine_down');
  return model;
}
