/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
// A detector answers boxes. What heads can tell early is whether it would find anything: of their two classes only "nothing" may be
// answered, and it is an answer without boxes. It is right or wholly wrong: an F1 of 1, or of 0.
import { WHOLE_LOSS } from '../../../crds/wire/agreement.ts';
import type { Box } from '../detection/box.ts';
import { f1LossTenths } from '../detection/f1-loss.ts';
import { decodeCenters } from '../detection/heat-map.ts';
import { comparisonValues, FAR, toKeyFrame } from '../detection/previous-frame.ts';
import { suppress } from '../detection/suppress.ts';
import type { FrameComparison, RowOutputs, Task } from './task.ts';

/** How the outputs of a CenterNet become boxes. */
export interface DetectionMaps {
  /** Indices of the model's outputs: class scores [height, width, objects], extents [height, width, 4]. */
  readonly scores: number;
  readonly extents: number;
  readonly height: number;
  readonly width: number;
  /** Kinds of objects. */
  readonly objectCount: number;
  /** Pixels of the input per place of the maps. */
  readonly stride: number;
  /** Least score of a box that is an answer. */
  readonly cut: number;
  /** Of boxes of one class that overlap by more, the best stays. */
  readonly maxOverlap: number;
  readonly maxBoxes: number;
}

/** Classes of the heads. */
export const NOTHING = 0;
export const SOMETHING = 1;
export const DETECTION_CLASSES = 2;

/** Numbers of a box in an answer: left, top, right, bottom, score, class. */
export const BOX_NUMBERS = 6;
const SCORE_AT = 4;

/** A peak of a key frame has a score: what is 0 is no object. */
const LEAST_CUT = 1e-3;

/** What heads learn of a backbone that is certain. */
const SURE = 0.999;

export function createDetection(maps: DetectionMaps): Task {
  const empty = maps.maxBoxes * BOX_NUMBERS;
  const classOf = ([boxes]: RowOutputs): number => classOfBoxes(boxes ?? new Float32Array(0));
  return {
    toAnswer: (outputs) => [encodeBoxes(findBoxes(outputs, maps), maps.maxBoxes)],
    classOf,
    // How near the best box is to being none is in no output.
    confidenceOf: () => NaN,
    logProbabilitiesOf: (answer) => {
      const found = classOf(answer);
      return Float32Array.of(
        Math.log(found === NOTHING ? SURE : 1 - SURE),
        Math.log(found === SOMETHING ? SURE : 1 - SURE),
      );
    },
    answerable: [NOTHING],
    lossTenthsOf: (classId, answer) => {
      if (classId === NOTHING) return f1LossTenths([], boxesOf(answer));
      // No exit answers something: what its head says is right where there is something.
      return classOf(answer) === classId ? 0 : WHOLE_LOSS;
    },
    earlyAnswer: () => [new Float32Array(empty)],
    frames: createFrames(maps),
  };
}

function createFrames(maps: DetectionMaps): FrameComparison {
  const { cut, maxBoxes } = maps;
  return {
    toKeyFrame: (features, outputs) => {
      const peaks = findBoxes(outputs, { ...maps, cut: Math.max(LEAST_CUT, cut - FAR) });
      return toKeyFrame(features, peaks, cut);
    },
    valuesOf: comparisonValues,
    answerOf: ({ boxes }) => [encodeBoxes(boxes, maxBoxes)],
    lossTenths: (earlier, answer) => f1LossTenths(boxesOf(earlier), boxesOf(answer)),
  };
}

function findBoxes(outputs: RowOutputs, maps: DetectionMaps): readonly Box[] {
  const { height, width, objectCount, stride, cut, maxBoxes, maxOverlap } = maps;
  const scores = outputs[maps.scores] ?? new Float32Array(0);
  const extents = outputs[maps.extents] ?? new Float32Array(0);
  const centers = decodeCenters(
    { height, width, classCount: objectCount, stride, scores, extents },
    { cut, maxBoxes },
  );
  return suppress(centers, maxOverlap);
}

/** [maxBoxes, 6], best first; after the last box zeros, which no box has as its score. */
function encodeBoxes(boxes: readonly Box[], maxBoxes: number): Float32Array {
  const values = new Float32Array(maxBoxes * BOX_NUMBERS);
  for (const [i, { left, top, right, bottom, score, classIndex }] of boxes.entries()) {
    values.set([left, top, right, bottom, score, classIndex], i * BOX_NUMBERS);
  }
  return values;
}

/** What `encodeBoxes` wrote. */
function boxesOf([values = new Float32Array(0)]: RowOutputs): readonly Box[] {
  const boxes: Box[] = [];
  for (let at = 0; (values[at + SCORE_AT] ?? 0) > 0; at += BOX_NUMBERS) {
    const [left, top, right, bottom] = values.subarray(at, at + SCORE_AT);
    boxes.push({
      ...{ left: left!, top: top!, right: right!, bottom: bottom! },
      ...{ score: values[at + SCORE_AT]!, classIndex: values[at + SCORE_AT + 1]! },
    });
  }
  return boxes;
}

/** Of an output of this task: whether there is a box. */
export function classOfBoxes(boxes: Float32Array): number {
  return (boxes[SCORE_AT] ?? 0) > 0 ? SOMETHING : NOTHING;
}

/** Of an output of this task, the part that holds boxes: a copy. */
export function trimBoxes(boxes: Float32Array): Float32Array {
  let end = 0;
  while ((boxes[end + SCORE_AT] ?? 0) > 0) end += BOX_NUMBERS;
  return boxes.slice(0, end);
}

/** What boxes lose against the backbone's, of two outputs of this task, trimmed or whole: 0 to 10 tenths. */
export function boxLossTenths(early: Float32Array, backbone: Float32Array): number {
  return f1LossTenths(boxesOf([early]), boxesOf([backbone]));
}
