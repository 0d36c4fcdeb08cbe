// SegmentEngine on TensorFlow.js.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import type { BackendName } from './backend.ts';
import { TfjsRuntime } from './tfjs-runtime.ts';

export function createTfjsEngine(
  backend: BackendName,
  options: EngineOptions = NO_PAUSE,
): SegmentEngine {
  return new CutEngine(new TfjsRuntime(backend), options);
}
