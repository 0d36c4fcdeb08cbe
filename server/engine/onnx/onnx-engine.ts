// SegmentEngine on onnxruntime-node.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import { OnnxRuntime } from './onnx-runtime.ts';

/** @param passThreads threads of one pass through the backbone */
export function createOnnxEngine(
  options: EngineOptions = NO_PAUSE,
  passThreads = 1,
): SegmentEngine {
  return new CutEngine(new OnnxRuntime(passThreads), options);
}
