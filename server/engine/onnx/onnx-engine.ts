// SegmentEngine on onnxruntime-node.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import { deviceOfProcess } from '../config.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import { CardRuntime } from './card-runtime.ts';
import { OnnxRuntime } from './onnx-runtime.ts';

/** @param passThreads threads of one pass through the backbone */
export function createOnnxEngine(
  options: EngineOptions = NO_PAUSE,
  passThreads = 1,
): SegmentEngine {
  return deviceOfProcess() === 'gpu'
    ? createCardEngine(options, passThreads)
    : new CutEngine(new OnnxRuntime(passThreads), options);
}

/** The same as on a card, on whatever the process runs models on. */
export function createCardEngine(
  options: EngineOptions = NO_PAUSE,
  passThreads = 1,
): SegmentEngine {
  return new CutEngine(new CardRuntime(passThreads), options);
}
