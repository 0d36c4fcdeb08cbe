/* eslint-disable @typescript-eslint/no-non-null-assertion -- the number of a feature is below their count */
// The exit "same as the previous frame of this source" (exits.md 12): how probable it is that the boxes of the key frame are still
// the backbone's answer.
import type { Box } from './box.ts';
import { frameDistance } from './frame-distance.ts';
import type { KeyFrame, RecalledFrame } from './frame-memory.ts';

/** Logistic regression on standardised values, as `fitLogistic` gives it. */
export interface LinearScore {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  readonly weights: readonly number[];
  readonly intercept: number;
}

/** What was fitted for a backbone and its traffic. */
export interface PreviousFrameScore {
  /** [channels] spread of the features. */
  readonly featureScale: readonly number[];
  /** Key frames without and with boxes: the one goes wrong when something comes, the other when something moves. */
  readonly empty: LinearScore;
  readonly filled: LinearScore;
}

/** Probability of the event; NaN for values that are not finite. */
export function linearScore(
  { mean, scale, weights, intercept }: LinearScore,
  values: readonly number[],
): number {
  const logit = weights.reduce(
    (sum, weight, i) =>
      sum + (weight * ((values[i] ?? NaN) - (mean[i] ?? NaN))) / (scale[i] ?? NaN),
    intercept,
  );
  return Number.isNaN(logit) ? NaN : 1 / (1 + Math.exp(-logit));
}

/** Farther from the cut a peak says nothing of what the next frame shows. */
export const FAR = 0.1;
const NEAR = 0.05;

/**
 * A key frame of what the backbone found.
 * @param peaks after suppression, also those a little below the cut: what flickers around it.
 */
export function toKeyFrame(features: Float32Array, peaks: readonly Box[], cut: number): KeyFrame {
  const distances = peaks.map(({ score }) => Math.abs(score - cut));
  return {
    features,
    boxes: peaks.filter(({ score }) => score >= cut),
    margin: distances.reduce((least, distance) => Math.min(least, distance), FAR),
    nearCut: distances.filter((distance) => distance < NEAR).length,
  };
}

/** Keeps logarithms of equal frames finite. */
const LEAST_DISTANCE = 1e-3;

/** What the score reads: distances, age, how close the key frame was to another answer, and how these go together. */
export function previousFrameValues(
  key: RecalledFrame,
  features: Float32Array,
  featureScale: readonly number[],
): readonly number[] {
  const { mean, largest } = frameDistance(features, key.features, featureScale);
  const [moved, changed] = [Math.log(largest + LEAST_DISTANCE), Math.log(mean + LEAST_DISTANCE)];
  const { age, margin, nearCut, boxes } = key;
  return [
    ...[moved, changed, age, margin, nearCut, boxes.length],
    ...[moved * margin, changed * margin, moved * nearCut, moved * age, margin * nearCut],
  ];
}

/** Smallest spread of a channel, as a share of the mean of all: one that is silent in the key frame must not be blown up. */
const SMALLEST_SHARE = 0.1;

/** [channels] how large each channel is in the key frame: nothing of traffic has to be known to compare two frames. */
function channelScale(features: Float32Array, channels: number): readonly number[] {
  const cells = features.length / channels;
  const means = Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (let i = channel; i < features.length; i += channels) sum += Math.abs(features[i]!);
    return sum / cells;
  });
  const mean = means.reduce((total, one) => total + one, 0) / channels;
  const floor = mean > 0 ? SMALLEST_SHARE * mean : 1;
  return means.map((one) => Math.max(floor, one));
}

/**
 * What the head of this exit reads: distances in units of the key frame's own channels, and whether it shows anything.
 * @param features [cells, channels] of the frame, as the key frame has them; @returns COMPARISON_VALUES numbers
 */
export function comparisonValues(
  key: RecalledFrame,
  features: Float32Array,
  channels: number,
): Float32Array {
  const values = previousFrameValues(key, features, channelScale(key.features, channels));
  return Float32Array.of(...values, key.boxes.length > 0 ? 1 : 0);
}

/** P(the key frame's boxes lose at most a tenth against the backbone's of this frame). */
export function scorePreviousFrame(
  key: RecalledFrame,
  features: Float32Array,
  { featureScale, empty, filled }: PreviousFrameScore,
): number {
  const score = key.boxes.length === 0 ? empty : filled;
  return linearScore(score, previousFrameValues(key, features, featureScale));
}
