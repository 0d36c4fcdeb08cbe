import { buildModel, floatValue, node } from '../../core/onnx/build-model.ts';
import { firstLine } from '../first-line.ts';
import { noCard } from '../no-card.ts';
import { RuntimeSession } from './session.ts';

const IDENTITY = buildModel({
  nodes: [node('Identity', ['x'], ['y'])],
  inputs: [floatValue('x', [1])],
  outputs: [floatValue('y', [1])],
  initializers: [],
});

/** Whether sessions of this process get the provider that they ask for, told before a model is blamed. Throws EngineError. */
export function checkCard(): void {
  try {
    new RuntimeSession(IDENTITY).release();
  } catch (error) {
    throw noCard('onnxruntime', firstLine(error), error);
  }
}
