// The exits of a detector, fitted on frames that are no evidence, by the trainer's own code.
import { decodeHalf } from '../../../crds/wire/half-float.ts';
import { createOnnxTrainer } from '../../../operator/trainer/onnx-step.ts';
import { fitLogistic } from '../../../operator/training/calibrate.ts';
import { createJobRunner, type HeadJob } from '../../../operator/training/head-job.ts';
import { denseMacs } from '../../../server/core/head.ts';
import { toDense } from '../../../operator/training/quantise.ts';
import { fullTraining } from '../../../operator/training/settings.ts';
import { f1LossTenths } from '../../../server/core/detection/f1-loss.ts';
import {
  linearScore,
  previousFrameValues,
  toKeyFrame,
  type LinearScore,
  type PreviousFrameScore,
} from '../../../server/core/detection/previous-frame.ts';
import { runHead, type HeadWeights } from '../../../server/core/head.ts';
import { CUTS } from './detector-model.ts';
import { POOL, SCORE_CUT, type Detector, type RecordedFrame } from './record-frames.ts';
import type { RecordedStream } from './recorded-stream.ts';

/** Frames that a key frame may answer. */
export const MAX_AGE = 5;
/** An exit is right where its answer loses at most a tenth (exits.md 12). */
const RIGHT_TENTHS = 1;
const HIDDEN = 64;
/** Consecutive frames that stay on one side of the split. */
const GROUP_FRAMES = 50;
const SEED = 1;

export interface DetectorExits {
  readonly previous: PreviousFrameScore;
  /** P(the backbone finds nothing). */
  readonly scoreEmpty: (frame: RecordedFrame) => number;
  /** Multiply-adds of the empty head. */
  readonly headMacs: number;
}

export async function fitExits(
  streams: readonly RecordedStream[],
  { channels }: Pick<Detector, 'channels'>,
  budget: number,
): Promise<DetectorExits> {
  const featureCount = POOL * POOL * channels.empty;
  return {
    previous: fitPrevious(streams, channels.frame),
    scoreEmpty: await fitEmpty(streams, channels.empty, budget),
    headMacs: denseMacs({ featureCount, hidden: HIDDEN }, 2),
  };
}

const isEmpty = ({ peaks }: RecordedFrame): boolean =>
  peaks.every(({ score }) => score < SCORE_CUT);

async function fitEmpty(
  streams: readonly RecordedStream[],
  channels: number,
  budget: number,
): Promise<DetectorExits['scoreEmpty']> {
  const frames = streams.flatMap((stream) => stream.frames);
  const featureCount = POOL * POOL * channels;
  const features = new Uint16Array(frames.length * featureCount);
  for (const [i, frame] of frames.entries()) features.set(frame.empty, i * featureCount);
  const teacherClass = Uint32Array.from(frames, (frame) => (isEmpty(frame) ? 0 : 1));
  const job: HeadJob = {
    source: { exit: exitAt('empty', CUTS.empty, channels), features },
    ...{ pool: POOL, hidden: HIDDEN, budget, seed: [SEED] },
    targets: {
      ...{ classCount: 2, teacherClass, weight: new Float32Array(frames.length).fill(1) },
      teacher: sureTeacher(teacherClass),
    },
    split: splitGroups(frames.length),
    settings: fullTraining(frames.length, denseMacs({ featureCount, hidden: HIDDEN }, 2)),
  };
  const { mean, scale, weights } = await createJobRunner(createOnnxTrainer)(job);
  const shape = { featureCount, hidden: HIDDEN, classCount: 2 };
  const head: HeadWeights = { ...shape, mean, scale, ...toDense(weights) };
  const lead = (frame: RecordedFrame): number => {
    const [nothing = NaN, something = NaN] = runHead(head, decodeHalf(frame.empty), 1);
    return nothing - something;
  };
  const judged = Array.from(job.split.validation).flatMap((row) => frames[row] ?? []);
  const score = fitLogistic(
    [judged.map(lead)],
    judged.map((frame) => (isEmpty(frame) ? 1 : 0)),
  );
  return (frame) => linearScore(score, [lead(frame)]);
}

function exitAt(name: string, tensor: string, channels: number): HeadJob['source']['exit'] {
  const featureCount = POOL * POOL * channels;
  return {
    name,
    tensor,
    modelDigest: null,
    pool: POOL,
    channels,
    height: POOL,
    width: POOL,
    featureCount,
  };
}

/** [rows, 2] log-probabilities of a backbone that is sure whether it found something. */
function sureTeacher(classes: Uint32Array): Float32Array {
  const sure = [Math.log(0.999), Math.log(0.001)];
  return Float32Array.from(
    { length: 2 * classes.length },
    (_, i) => sure[Math.abs((classes[i >> 1] ?? 0) - (i & 1))] ?? NaN,
  );
}

function splitGroups(rows: number): HeadJob['split'] {
  const all = Array.from({ length: rows }, (_, row) => row);
  const isJudge = (row: number): boolean => Math.floor(row / GROUP_FRAMES) % 5 === 2;
  return {
    training: Uint32Array.from(all.filter((row) => !isJudge(row))),
    validation: Uint32Array.from(all.filter(isJudge)),
  };
}

/** On pairs of frames of one stream, one to five apart. */
function fitPrevious(streams: readonly RecordedStream[], channels: number): PreviousFrameScore {
  const featureScale = spreadOf(streams, channels);
  const pairs = streams.flatMap(({ frames }) => pairsOf(frames, featureScale));
  const fit = (isEmptyKey: boolean): LinearScore => {
    const own = pairs.filter((pair) => pair.isEmptyKey === isEmptyKey);
    const columns = (own[0]?.values ?? []).map((_, k) => own.map(({ values }) => values[k] ?? NaN));
    return fitLogistic(
      columns,
      own.map(({ isRight }) => (isRight ? 1 : 0)),
    );
  };
  return { featureScale, empty: fit(true), filled: fit(false) };
}

interface Pair {
  readonly isEmptyKey: boolean;
  readonly values: readonly number[];
  readonly isRight: boolean;
}

function pairsOf(frames: readonly RecordedFrame[], featureScale: readonly number[]): Pair[] {
  const keys = frames.map((frame) => toKeyFrame(decodeHalf(frame.frame), frame.peaks, SCORE_CUT));
  return keys.flatMap(({ features, boxes }, i) =>
    keys.slice(Math.max(0, i - MAX_AGE), i).map((key, at, earlier) => ({
      isEmptyKey: key.boxes.length === 0,
      values: previousFrameValues({ ...key, age: earlier.length - at }, features, featureScale),
      isRight: f1LossTenths(key.boxes, boxes) <= RIGHT_TENTHS,
    })),
  );
}

/** [channels] standard deviation over frames and cells. */
function spreadOf(streams: readonly RecordedStream[], channels: number): number[] {
  const sums = Array.from({ length: channels }, () => ({ count: 0, sum: 0, squares: 0 }));
  for (const { frames } of streams) {
    for (const { frame } of frames) {
      for (const [i, value] of decodeHalf(frame).entries()) {
        const channel = sums[i % channels];
        if (channel === undefined) continue;
        channel.count += 1;
        channel.sum += value;
        channel.squares += value * value;
      }
    }
  }
  const spread = sums.map(({ count, sum, squares }) =>
    Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)),
  );
  const largest = Math.max(...spread);
  // A dead channel must not be blown up.
  return spread.map((value) => Math.max(value, 1e-3 * largest));
}
