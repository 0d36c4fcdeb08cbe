import { createClassification } from '../core/task/classification.ts';
import { createDetection } from '../core/task/detection.ts';
import type { Task } from '../core/task/task.ts';
import type { ModelDescription } from './segment-engine.ts';

/** The only place that tells tasks apart once a model is described. */
export function taskOf(model: ModelDescription): Task {
  const { outputs, outputName, outputKind, classCount, detection } = model;
  if (detection !== undefined) return createDetection(detection);
  const classOutput = outputs.findIndex(({ name }) => name === outputName);
  return createClassification({ classOutput, classCount, outputKind });
}
