// SegmentEngine on onnxruntime-node.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import { OnnxRuntime } from './onnx-runtime.ts';

export function createOnnxEngine(options: EngineOptions = NO_PAUSE): SegmentEngine {
  return new CutEngine(new OnnxRuntime(), options);
}
