// SegmentEngine on native TensorFlow.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import { TensorFlowRuntime } from './tensorflow-runtime.ts';

/** @param folder where `layercache engines install` put it: `tensorflowFolder()` */
export function createTensorFlowEngine(
  folder: string,
  options: EngineOptions = NO_PAUSE,
): SegmentEngine {
  return new CutEngine(new TensorFlowRuntime(folder), options);
}
