// Which output names the class.
import type { TensorSpec } from '../../../crds/wire/state.ts';
import { EngineError } from '../engine-error.ts';
import { nearestNames } from '../nearest-names.ts';

export function chooseClassOutput(
  path: string,
  wanted: string | null,
  outputs: readonly TensorSpec[],
): { readonly name: string; readonly classCount: number } {
  const suitable = outputs.flatMap((output) => {
    const classCount = classesOf(output);
    return classCount === null ? [] : [{ name: output.name, classCount }];
  });
  if (wanted !== null) return named(path, wanted, suitable, outputs);
  const [only, ...others] = suitable;
  if (only === undefined) {
    throw new EngineError(
      'NoClassOutput',
      `${path} has no class output: a float32 output [rows, classes] with two or more classes is needed, ` +
        `there is ${outputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')}`,
    );
  }
  if (others.length > 0) {
    throw new EngineError(
      'OutputAmbiguous',
      `${path} has several class outputs (${suitable.map(({ name }) => name).join(', ')}); say which one in spec.backbone.outputName or in layercache.json`,
    );
  }
  return only;
}

function named(
  path: string,
  wanted: string,
  suitable: readonly { readonly name: string; readonly classCount: number }[],
  outputs: readonly TensorSpec[],
): { readonly name: string; readonly classCount: number } {
  const found = suitable.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = outputs.map(({ name }) => name);
  if (names.includes(wanted)) {
    throw new EngineError(
      'NoClassOutput',
      `output ${wanted} of ${path} is not float32 [rows, classes]; name one that is, of ${names.join(', ')}`,
    );
  }
  throw new EngineError(
    'OutputNotFound',
    `${path} has no output ${wanted}; the nearest are ${nearestNames(wanted, names).join(', ')}`,
  );
}

/** [rows, classes], trailing ones allowed. */
function classesOf({ datatype, shape }: TensorSpec): number | null {
  const [, classes = 0, ...rest] = shape;
  const isFlat = rest.every((dim) => dim === 1);
  return datatype === 'FP32' && shape[0] === -1 && isFlat && classes >= 2 ? classes : null;
}
