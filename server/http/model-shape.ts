import type { TensorSpec } from '../../crds/wire/state.ts';
import type { ModelDescription } from '../engine/segment-engine.ts';

/** What the codec needs to know of the model; computed once at load. */
export interface ModelShape {
  readonly inputName: string;
  /** Without the rows. */
  readonly rowShape: readonly number[];
  readonly rowElements: number;
  readonly outputs: readonly TensorSpec[];
  /** Index of the output that exits supply; -1: they supply none. */
  readonly classOutput: number;
}

export function toModelShape(model: ModelDescription): ModelShape {
  const [input] = model.inputs;
  const rowShape = input?.shape.slice(1) ?? [];
  return {
    inputName: input?.name ?? '',
    rowShape,
    rowElements: rowShape.reduce((product, size) => product * size, 1),
    outputs: model.outputs,
    classOutput: model.outputs.findIndex((output) => output.name === model.outputName),
  };
}
