// What a server would decide on frames that came interleaved from their sources, and what each exit's answer would have lost.
import { decodeHalf } from '../../../crds/wire/half-float.ts';
import { LAMBDA_COUNT } from '../../../crds/wire/lambda-grid.ts';
import { firstLeavingIndex } from '../../../server/core/decide.ts';
import type { Box } from '../../../server/core/detection/box.ts';
import { f1LossTenths } from '../../../server/core/detection/f1-loss.ts';
import {
  createFrameMemory,
  type FrameMemory,
} from '../../../server/core/detection/frame-memory.ts';
import { scorePreviousFrame, toKeyFrame } from '../../../server/core/detection/previous-frame.ts';
import { MAX_AGE, type DetectorExits } from './fit-exits.ts';
import { SCORE_CUT, type RecordedFrame } from './record-frames.ts';
import type { RecordedStream } from './recorded-stream.ts';

/** Exits in the order in which rows meet them. */
export const EXITS = ['previous', 'empty'] as const;

export interface FrameRow {
  readonly source: string;
  readonly motion: string;
  /** Per exit; not a number where the frame has to be answered by the backbone. */
  readonly scores: readonly number[];
  /** Per exit. */
  readonly lossTenths: readonly number[];
  /** Per exit. */
  readonly answers: readonly (readonly Box[])[];
  readonly full: readonly Box[];
}

const FRAME_MS = 100;
const MAX_SOURCES = 64;
const EXPIRY_MS = 10_000;

/** Rows per stream, of streams that a server gets frame by frame in turns. */
export function replayInterleaved(
  streams: readonly RecordedStream[],
  exits: DetectorExits,
): readonly (readonly FrameRow[])[] {
  const memory = createFrameMemory({
    ...{ maxAge: MAX_AGE, maxSources: MAX_SOURCES, maxBytes: Infinity, expiryMs: EXPIRY_MS },
  });
  const rows = streams.map((): FrameRow[] => []);
  const longest = Math.max(...streams.map(({ frames }) => frames.length));
  for (let at = 0; at < longest; at++) {
    for (const [i, { stream, frames }] of streams.entries()) {
      const frame = frames[at];
      if (frame === undefined) continue;
      const judged = judge(frame, stream.name, { memory, exits, nowMs: at * FRAME_MS });
      rows[i]?.push({ source: stream.name, motion: stream.motion, ...judged });
    }
  }
  return rows;
}

function judge(
  frame: RecordedFrame,
  source: string,
  { memory, exits, nowMs }: { memory: FrameMemory; exits: DetectorExits; nowMs: number },
): Omit<FrameRow, 'source' | 'motion'> {
  const features = decodeHalf(frame.frame);
  const own = toKeyFrame(features, frame.peaks, SCORE_CUT);
  const full = own.boxes;
  const { key, keep } = memory.take(source, nowMs);
  if (key === null) {
    keep(own);
    return { scores: [NaN, NaN], lossTenths: [0, 0], answers: [[], []], full };
  }
  const scores = [scorePreviousFrame(key, features, exits.previous), exits.scoreEmpty(frame)];
  // No lambda lets it leave: the backbone answers it whatever is in force, and it is kept at no cost.
  if (scores.every((score) => firstLeavingIndex(score) === LAMBDA_COUNT)) keep(own);
  const answers = [key.boxes, []];
  return { scores, lossTenths: answers.map((answer) => f1LossTenths(answer, full)), answers, full };
}
