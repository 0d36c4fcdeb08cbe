import { createClassification } from '../core/task/classification.ts';
import type { Task } from '../core/task/task.ts';
import type { ModelDescription } from './segment-engine.ts';

/** The only place that tells tasks apart once a model is described. */
export function taskOf({ outputs, outputName, outputKind, classCount }: ModelDescription): Task {
  const classOutput = outputs.findIndex(({ name }) => name === outputName);
  return createClassification({ classOutput, classCount, outputKind });
}
