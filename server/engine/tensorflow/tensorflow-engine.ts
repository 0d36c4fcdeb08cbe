// SegmentEngine on native TensorFlow.
import { CutEngine, NO_PAUSE, type EngineOptions } from '../backbone/cut-engine.ts';
import type { Device } from '../config.ts';
import type { SegmentEngine } from '../segment-engine.ts';
import { TensorFlowRuntime } from './tensorflow-runtime.ts';

/** @param folder where `layercache engines install` put it: `tensorflowFolder()`. @param device that TensorFlow must use */
export function createTensorFlowEngine(
  folder: string,
  options: EngineOptions = NO_PAUSE,
  device: Device = 'cpu',
): SegmentEngine {
  return new CutEngine(new TensorFlowRuntime(folder, device), options);
}
