// Which output names the class.
import type { OutputProblem, TensorSpec } from '../../../crds/wire/state.ts';
import { EngineError } from '../engine-error.ts';
import { nearestNames } from '../nearest-names.ts';

export interface ClassOutput {
  readonly name: string;
  readonly classCount: number;
}

type Choice =
  | { readonly ok: true; readonly value: ClassOutput; readonly index: number }
  | { readonly ok: false; readonly problem: OutputProblem };

interface Suitable extends ClassOutput {
  readonly index: number;
}

/**
 * The output that exits supply. A backbone that shows none of its own accord is served whole; a name that somebody gave and that
 * fits nothing is a mistake to correct, and throws.
 */
export function chooseClassOutput(
  path: string,
  wanted: string | null,
  outputs: readonly TensorSpec[],
): Choice {
  const suitable = outputs.flatMap((output, index) => {
    const classCount = classesOf(output);
    return classCount === null ? [] : [{ name: output.name, classCount, index }];
  });
  if (wanted !== null) return chosen(named(path, wanted, suitable, outputs));
  const [only, ...others] = suitable;
  if (only === undefined) {
    const shapes = outputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ');
    return refused(
      'NoClassOutput',
      `The backbone has no class output, which is float32 [rows, classes], but ${shapes}: it answers everything itself; ` +
        `for exits, ${wayOut(outputs)}.`,
    );
  }
  if (others.length === 0) return chosen(only);
  const names = suitable.map(({ name }) => name).join(', ');
  return refused(
    'OutputAmbiguous',
    `The backbone has several class outputs (${names}) and none is named: it answers everything itself; ` +
      'for exits, name one in spec.backbone.outputName or as "output" in layercache.json.',
  );
}

/** What to export instead, by what the outputs look like. */
function wayOut(outputs: readonly TensorSpec[]): string {
  if (outputs.some(({ datatype }) => datatype.includes('INT')))
    return 'export the scores from before the ArgMax or TopK that makes the integers';
  if (outputs.every(({ shape }) => shape.slice(1).every((size) => size === 1)))
    return 'export two scores a row instead of one, such as 1 - p and p';
  return 'export it with such an output; maps, boxes and embeddings have no class that an exit could answer';
}

function chosen({ index, ...value }: Suitable): Choice {
  return { ok: true, value, index };
}

const MAX_MESSAGE = 1024;

function refused(code: OutputProblem['code'], message: string): Choice {
  return { ok: false, problem: { code, message: message.slice(0, MAX_MESSAGE) } };
}

function named(
  path: string,
  wanted: string,
  suitable: readonly Suitable[],
  outputs: readonly TensorSpec[],
): Suitable {
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
