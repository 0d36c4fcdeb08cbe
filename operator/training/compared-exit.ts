/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers are below rowCount */
// The exit that compares frames (exits.md 12) learns another thing than the others: not what a row shows, but whether the answer of an
// earlier frame of its source still is the backbone's. Servers tell of each row how it compares and what that answer would have lost.
import { fromHalf } from '../../crds/wire/half-float.ts';
import { COMPARISON_VALUES, KEY_FRAME } from '../../crds/wire/previous-frame.ts';
import type { Dataset, DatasetExit } from './dataset.ts';
import type { Split } from './split.ts';

/** What heads of an exit are trained for. */
type Targets = Pick<Dataset, 'classCount' | 'teacher' | 'teacherClass' | 'weight'>;

/** Of an exit that compares frames, per row. */
export interface Comparisons {
  /** 1: the row was compared with an earlier frame; other rows teach nothing. */
  readonly isCompared: Uint8Array;
  /** 1: a key frame, which no exit may answer. */
  readonly isKeyFrame: Uint8Array;
  readonly targets: Targets;
}

/** Classes of such a head: "as there", which may be answered, and "not". */
const AS_BEFORE = 0;
const OTHER = 1;

/** What heads learn of what is known. */
const SURE = 0.999;

/** Features without what they lost, and what that makes of each row. Any loss is "not": that holds under both agreements. */
export function toComparedExit(
  { exit, features }: DatasetExit,
  { rowCount, classCount, weight }: Pick<Dataset, 'rowCount' | 'classCount' | 'weight'>,
): DatasetExit {
  const width = exit.featureCount;
  const values = new Uint16Array(new SharedArrayBuffer(2 * rowCount * COMPARISON_VALUES));
  const teacherClass = new Uint32Array(new SharedArrayBuffer(4 * rowCount));
  const teacher = new Float32Array(new SharedArrayBuffer(4 * rowCount * classCount));
  const isCompared = new Uint8Array(rowCount);
  const isKeyFrame = new Uint8Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const at = row * width;
    values.set(features.subarray(at, at + COMPARISON_VALUES), row * COMPARISON_VALUES);
    const loss = fromHalf(features[at + COMPARISON_VALUES]!);
    const classId = loss === 0 ? AS_BEFORE : OTHER;
    isCompared[row] = loss >= 0 ? 1 : 0;
    isKeyFrame[row] = loss === KEY_FRAME ? 1 : 0;
    teacherClass[row] = classId;
    for (let c = 0; c < classCount; c++) {
      teacher[row * classCount + c] = Math.log(c === classId ? SURE : 1 - SURE);
    }
  }
  return {
    exit: { ...exit, channels: COMPARISON_VALUES, featureCount: COMPARISON_VALUES },
    features: values,
    comparisons: {
      isCompared,
      isKeyFrame,
      targets: { classCount, teacher, teacherClass, weight },
    },
  };
}

/** Rows that teach a head of this exit, or judge it. */
export function rowsOf({ comparisons }: DatasetExit, rows: Uint32Array): Uint32Array {
  return comparisons === undefined ? rows : rows.filter((row) => comparisons.isCompared[row] === 1);
}

export function splitOf(source: DatasetExit, { training, validation }: Split): Split {
  return { training: rowsOf(source, training), validation: rowsOf(source, validation) };
}

/** What heads of the exit are to say. */
export function targetsOf({ comparisons }: DatasetExit, dataset: Dataset): Targets {
  if (comparisons !== undefined) return comparisons.targets;
  const { classCount, teacher, teacherClass, weight } = dataset;
  return { classCount, teacher, teacherClass, weight };
}

/**
 * Of what is known of the judged rows alone, one value for each of `rows`.
 * @param values of `rowsOf(source, rows)`, in order
 */
export function spreadOver<T extends Float64Array | Uint8Array>(
  { comparisons }: DatasetExit,
  rows: Uint32Array,
  values: T,
  { into, otherwise }: { readonly into: T; readonly otherwise: (isKeyFrame: boolean) => number },
): T {
  if (comparisons === undefined) return values;
  let next = 0;
  for (const [i, row] of rows.entries()) {
    if (comparisons.isCompared[row] === 1) {
      into[i] = values[next]!;
      next += 1;
    } else into[i] = otherwise(comparisons.isKeyFrame[row] === 1);
  }
  return into;
}
