/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the batches themselves */
import { isFiniteHalf } from '../../crds/wire/half-float.ts';
import type { SampleBatch, SampleExit } from '../../crds/wire/samples.ts';
import { toComparedExit, type Comparisons } from './compared-exit.ts';
import { bytesOf, createSha256, textBytes } from './sha256.ts';

/** Features of one exit as recorded: fp16 bits [rows, exit.featureCount]. */
export interface DatasetExit {
  readonly exit: SampleExit;
  readonly features: Uint16Array;
  /** Of an exit that compares frames; its features are without what they lost. */
  readonly comparisons?: Comparisons;
}

/** A pod's life that samples came from, and the last sequence used. */
export interface DatasetPod {
  readonly podUid: string;
  readonly bootId: string;
  readonly seq: number;
}

/** Samples of a fleet in one order, sorted by (pod, boot, sequence). Arrays are shared memory: workers read, nobody writes. */
export interface Dataset {
  readonly rowCount: number;
  readonly classCount: number;
  /** Classes that an exit may answer; null: all. */
  readonly answerable: readonly number[] | null;
  readonly exits: readonly DatasetExit[];
  readonly pods: readonly DatasetPod[];
  /** [rows] index into pods. */
  readonly pod: Uint32Array;
  readonly sequence: Float64Array;
  readonly minute: Uint32Array;
  /** [rows, classCount] natural-log probabilities of the backbone, at least -60. */
  readonly teacher: Float32Array;
  readonly teacherClass: Uint32Array;
  /** [rows] rows of traffic that a row stands for: mean 1, at most 20. */
  readonly weight: Float32Array;
  /** SHA-256 over everything above (features by a checksum), independent of how pods and batches were ordered. */
  readonly digest: string;
  /** Rows left out: another backbone, other exits, a non-finite number, a class out of range. */
  readonly droppedRows: number;
}

const LOWEST_LOG_PROBABILITY = -60;
const LARGEST_WEIGHT = 20;

interface RowRef {
  readonly batch: SampleBatch;
  readonly row: number;
}

/**
 * Merges batches of any pods in any order. A row that came twice counts once; batches that do not fit `expected` or the
 * exits of the first fitting batch (in pod order) are dropped whole, rows with non-finite numbers singly. No batches: no rows.
 */
export function mergeSamples(
  batches: readonly SampleBatch[],
  expected: { readonly backboneDigest: string; readonly classCount: number },
): Dataset {
  const sorted = [...batches].sort((a, b) => comparePods(a, b) || a.nextAfter - b.nextAfter);
  const fitting = sorted.filter(
    (batch) =>
      batch.backboneDigest === expected.backboneDigest && batch.classCount === expected.classCount,
  );
  const [first] = fitting;
  const { exits = [], answerable = null } = first ?? {};
  const layoutOf = (batch: SampleBatch): string => JSON.stringify([batch.exits, batch.answerable]);
  const layout = first && layoutOf(first);
  const rows = sortedRows(fitting.filter((batch) => layoutOf(batch) === layout));
  const offered = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  return fill(rows, exits, { classCount: expected.classCount, answerable, offered });
}

function comparePods(
  a: { readonly podUid: string; readonly bootId: string },
  b: { readonly podUid: string; readonly bootId: string },
): number {
  const keyA = podKey(a);
  const keyB = podKey(b);
  return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
}

function podKey(of: { readonly podUid: string; readonly bootId: string }): string {
  return `${of.podUid} ${of.bootId}`;
}

function sequenceOf({ batch, row }: RowRef): number {
  return batch.sequence[row]!;
}

/** Usable rows by pod, boot and sequence, each once. */
function sortedRows(batches: readonly SampleBatch[]): readonly RowRef[] {
  const rows = batches.flatMap((batch) =>
    Array.from({ length: batch.rowCount }, (_, row) => ({ batch, row })).filter(isUsable),
  );
  rows.sort((a, b) => comparePods(a.batch, b.batch) || sequenceOf(a) - sequenceOf(b));
  return rows.filter((ref, i) => {
    const before = rows[i - 1];
    return (
      before === undefined ||
      sequenceOf(before) !== sequenceOf(ref) ||
      comparePods(before.batch, ref.batch) !== 0
    );
  });
}

function isUsable({ batch, row }: RowRef): boolean {
  if (batch.teacherClass[row]! >= batch.classCount) return false;
  const { topCount } = batch;
  for (let k = row * topCount; k < (row + 1) * topCount; k++) {
    if (Number.isNaN(batch.teacherLogProbabilities[k]!)) return false;
  }
  return batch.exits.every((exit, e) => {
    const bits = batch.features[e]!;
    for (let i = row * exit.featureCount; i < (row + 1) * exit.featureCount; i++) {
      if (!isFiniteHalf(bits[i]!)) return false;
    }
    return true;
  });
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

function fill(
  rows: readonly RowRef[],
  exits: readonly SampleExit[],
  totals: Pick<Dataset, 'classCount' | 'answerable'> & { readonly offered: number },
): Dataset {
  const { classCount, answerable } = totals;
  const count = rows.length;
  const datasetExits = exits.map((exit) => ({
    exit,
    features: new Uint16Array(shared(2 * count * exit.featureCount)),
  }));
  const teacher = new Float32Array(shared(4 * count * classCount));
  const pods = podsOf(rows);
  const data = {
    rowCount: count,
    classCount,
    answerable,
    exits: datasetExits,
    pods: pods.map(({ podUid, bootId, seq }) => ({ podUid, bootId, seq })),
    pod: new Uint32Array(shared(4 * count)),
    sequence: new Float64Array(shared(8 * count)),
    minute: new Uint32Array(shared(4 * count)),
    teacher,
    teacherClass: new Uint32Array(shared(4 * count)),
    weight: new Float32Array(shared(4 * count)),
    droppedRows: totals.offered - count,
  };
  const podIndex = new Map(pods.map((pod, i) => [podKey(pod), i]));
  for (const [i, ref] of rows.entries()) {
    const { batch, row } = ref;
    const pod = podIndex.get(podKey(batch))!;
    data.pod[i] = pod;
    data.sequence[i] = sequenceOf(ref);
    data.minute[i] = batch.minute[row]!;
    data.teacherClass[i] = batch.teacherClass[row]!;
    data.weight[i] = pods[pod]!.weight;
    spreadTeacher(ref, teacher.subarray(i * classCount, (i + 1) * classCount));
    for (const [e, { exit, features }] of datasetExits.entries()) {
      const width = exit.featureCount;
      features.set(batch.features[e]!.subarray(row * width, (row + 1) * width), i * width);
    }
  }
  return {
    ...data,
    exits: data.exits.map((source) =>
      source.exit.compares === undefined ? source : toComparedExit(source, data),
    ),
    digest: digestOf(data),
  };
}

/** Log-probabilities in class order; classes beyond the recorded top share the rest evenly (exits.md 3). */
function spreadTeacher({ batch, row }: RowRef, out: Float32Array): void {
  const { topCount, classCount, teacherLogProbabilities, teacherTopClasses } = batch;
  const first = row * topCount;
  const isWhole = topCount === classCount;
  if (!isWhole) {
    let top = 0;
    for (let k = first; k < first + topCount; k++) top += Math.exp(teacherLogProbabilities[k]!);
    out.fill(Math.log(Math.max(0, 1 - top) / (classCount - topCount)));
  }
  for (let k = 0; k < topCount; k++) {
    out[isWhole ? k : teacherTopClasses[first + k]!] = teacherLogProbabilities[first + k]!;
  }
  for (let c = 0; c < classCount; c++) out[c] = Math.max(LOWEST_LOG_PROBABILITY, out[c]!);
}

/** Pods with the last sequence used and the weight of their rows: rows seen per row kept, mean 1 over all rows, then cut at 20. */
function podsOf(rows: readonly RowRef[]): readonly (DatasetPod & { readonly weight: number })[] {
  const kept = new Map<string, { batch: SampleBatch; seq: number; seen: number; rows: number }>();
  for (const ref of rows) {
    const { batch } = ref;
    const before = kept.get(podKey(batch)) ?? { seen: 0, rows: 0 };
    kept.set(podKey(batch), {
      batch,
      seq: sequenceOf(ref),
      seen: Math.max(before.seen, batch.rowsSeen),
      rows: before.rows + 1,
    });
  }
  const pods = [...kept.values()];
  const seen = pods.reduce((sum, pod) => sum + Math.max(pod.seen, pod.rows), 0);
  const mean = seen / rows.length;
  return pods.map((pod) => ({
    podUid: pod.batch.podUid,
    bootId: pod.batch.bootId,
    seq: pod.seq,
    weight: Math.min(LARGEST_WEIGHT, Math.max(pod.seen, pod.rows) / pod.rows / mean),
  }));
}

function digestOf(data: Omit<Dataset, 'digest'>): string {
  const sha = createSha256();
  const exits = data.exits.map(({ exit }) => exit);
  sha.update(textBytes(JSON.stringify([data.classCount, data.pods, exits])));
  for (const array of [data.pod, data.sequence, data.minute, data.teacher]) {
    sha.update(bytesOf(array));
  }
  sha.update(bytesOf(data.teacherClass)).update(bytesOf(data.weight));
  for (const { features } of data.exits) sha.update(bytesOf(folded(features)));
  return sha.hex();
}

/** Four FNV-1a lanes (32 bits each) over the features: ten times as fast as SHA-256 on what may be a gigabyte. */
function folded(features: Uint16Array): Uint32Array {
  const lanes = Uint32Array.of(0x811c9dc5, 0x811c9dc6, 0x811c9dc7, 0x811c9dc8);
  for (let i = 0; i < features.length; i++) {
    lanes[i & 3] = Math.imul(lanes[i & 3]! ^ features[i]!, 0x01000193);
  }
  return lanes;
}
