import type { TensorSpec } from '../../crds/wire/state.ts';
import type { ModelDescription } from '../engine/segment-engine.ts';
import type { ImageInput } from '../image/image-input.ts';
import type { RequestLimits } from '../limits.ts';

/** What the codec needs to know of the model; computed once at load. */
export interface ModelShape {
  readonly inputName: string;
  /** Without the rows. */
  readonly rowShape: readonly number[];
  readonly rowElements: number;
  readonly outputs: readonly TensorSpec[];
  /** Index of the output that exits supply; -1: they supply none. */
  readonly classOutput: number;
  /** How pictures become rows; null: the model is not said to take any. */
  readonly image: ImageInput | null;
  readonly limits: RequestLimits;
}

export function toModelShape(
  model: ModelDescription,
  { image, limits }: Pick<ModelShape, 'image' | 'limits'>,
): ModelShape {
  const [input] = model.inputs;
  const rowShape = input?.shape.slice(1) ?? [];
  return {
    inputName: input?.name ?? '',
    rowShape,
    rowElements: elementsIn(rowShape),
    outputs: model.outputs,
    classOutput: model.outputs.findIndex((output) => output.name === model.outputName),
    image,
    limits,
  };
}

/** Elements of a tensor of this shape. */
export function elementsIn(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
