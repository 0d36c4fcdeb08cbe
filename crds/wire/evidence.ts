import { z } from 'zod';

import { acknowledgementSchema, type Acknowledgement } from './acknowledgement.ts';
import { DRIFT_HINTS, type DriftHint } from './drift-hints.ts';
import { packWindow, unpackWindow } from './evidence-codec.ts';
import { checkEvidenceLaws } from './evidence-laws.ts';
import { canonicalJson, checkShape, readJson, refuse, valueAt, type DocumentKind } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';

/** Counters of audited rows on the lambda grid (exits.md 5): for column j, `dis[j]` disagreements, `leave[e][j]` rows leaving at exit e. */
export interface EvidenceGrid {
  readonly n: number;
  /** length 120 */
  readonly dis: readonly number[];
  /** [exits][120] */
  readonly leave: readonly (readonly number[])[];
}

/** Of the rows in `dis`, those with a loss of 1 .. 10 tenths at each lambda (exits.md 6.6, 12): [10][120]. */
export type LossColumns = readonly (readonly number[])[];

export type Track = 'stable' | 'candidate';

/** Audits of one exit and predicted class at the lambda in force; classId -1 gathers all classes beyond the 64 commonest. */
export interface EvidenceStratum {
  readonly exit: string;
  readonly classId: number;
  readonly audits: number;
  readonly disagreements: number;
}

/** Stable against candidate on the same audited rows (exits.md 9.1); in the candidate's windows only. */
export interface PairedEvidence {
  readonly stableHeadRevision: string;
  readonly stableExits: readonly string[];
  readonly stableLambdaIndex: number;
  readonly candidateLambdaIndex: number;
  /** [stable exits + 1][candidate exits + 1], last = backbone: audited rows by exits at the two lambdas. */
  readonly joint: readonly (readonly number[])[];
  readonly onlyStableWrong: number;
  readonly onlyCandidateWrong: number;
}

/** Log-bucketed latency: bucket b counts durations in [1.02^b, 1.02^(b+1)) microseconds. Sparse, ascending buckets. */
export type LatencyDigest = readonly (readonly [bucket: number, count: number])[];

/** All rows this server answered on the window's track while the window was open. */
export interface ServedCounters {
  /** length exits + 1, last = backbone. Opted-out rows are in optedOut only. */
  readonly rows: readonly number[];
  readonly optedOut: number;
  readonly forced: number;
  readonly errors: number;
  readonly numericFallbacks: number;
  /** length exits + 1 */
  readonly latency: readonly LatencyDigest[];
  /** [exits][16] histogram of logit q, bins of width 1 over [-8, 8), clamped. */
  readonly scoreBins: readonly (readonly number[])[];
}

/** Busy seconds of the engine by kind, and what the same batches would have cost plain (exits.md 10). Whole server, in the first window of a tick only. */
export interface ComputeSeconds {
  readonly segment: number;
  readonly head: number;
  readonly companion: number;
  readonly compact: number;
  readonly audit: number;
  readonly plain: number;
}

/** One immutable window of one server and one head revision, keyed (podUid, bootId, seq). */
export interface EvidenceWindow {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly seq: number;
  readonly backboneDigest: string;
  /** Null: no head revision loaded; counters only, exits empty. */
  readonly headRevision: string | null;
  readonly track: Track | null;
  /** Pair of the policy in force for the whole window. */
  readonly epoch: number;
  readonly policyRevision: number;
  readonly lambdaIndex: number | null;
  /** Share of traffic of this track while the window was open: 0 = shadow. */
  readonly share: number;
  readonly exitsEnabled: boolean;
  /** Exits of the revision in order; columns of the grid. */
  readonly exits: readonly string[];
  readonly durationSeconds: number;
  readonly grid: EvidenceGrid;
  /** Only under a policy whose agreement is F1, which operators of the version before do not write. */
  readonly losses?: LossColumns;
  /** With `losses`: by exit, what audited rows lose that left there at the lambda in force; tenths of rows. */
  readonly exitLossTenths?: readonly number[];
  readonly strata: readonly EvidenceStratum[];
  readonly paired: PairedEvidence | null;
  readonly served: ServedCounters;
  readonly compute: ComputeSeconds | null;
  readonly auditsChosen: number;
  readonly auditsLost: number;
  readonly auditRate: number;
  /** Exits switched off locally (breaker, numeric) during the window. */
  readonly switchedOff: readonly string[];
  /** Only in stable's windows, and only while there are some: operators of the version before do not know the field. */
  readonly driftHints?: readonly DriftHint[];
}

/** Answer of GET /v1/evidence?after=SEQ. */
export interface EvidenceAnswer {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly oldestSeq: number;
  readonly newestSeq: number;
  readonly stateDigest: string;
  readonly acknowledgement: Acknowledgement;
  readonly windows: readonly EvidenceWindow[];
}

const packed = z.string().max(WIRE_LIMITS.evidenceWindowBytes);

const paired = z.strictObject({
  stableHeadRevision: shapes.digest,
  stableExits: shapes.exitNames,
  stableLambdaIndex: shapes.lambdaIndex,
  candidateLambdaIndex: shapes.lambdaIndex,
  joint: packed,
  onlyStableWrong: shapes.counter,
  onlyCandidateWrong: shapes.counter,
});

const compute = z.strictObject({
  segment: shapes.amount,
  head: shapes.amount,
  companion: shapes.amount,
  compact: shapes.amount,
  audit: shapes.amount,
  plain: shapes.amount,
});

const windowSchema = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  podUid: shapes.token,
  bootId: shapes.token,
  seq: shapes.ordinal,
  backboneDigest: shapes.digest,
  headRevision: shapes.digest.nullable(),
  track: z.enum(['stable', 'candidate']).nullable(),
  epoch: shapes.counter,
  policyRevision: shapes.counter,
  lambdaIndex: shapes.lambdaIndex.nullable(),
  share: shapes.ratio,
  exitsEnabled: z.boolean(),
  exits: shapes.exitNames,
  durationSeconds: shapes.amount,
  grid: packed,
  losses: z.exactOptional(packed),
  exitLossTenths: z.exactOptional(z.array(shapes.counter).max(WIRE_LIMITS.exits)),
  strata: packed,
  paired: paired.nullable(),
  served: packed,
  compute: compute.nullable(),
  auditsChosen: shapes.counter,
  auditsLost: shapes.counter,
  auditRate: shapes.ratio,
  switchedOff: shapes.exitNames,
  driftHints: z.exactOptional(z.array(z.enum(DRIFT_HINTS)).max(DRIFT_HINTS.length)),
});

/** A window as it travels: counters are base64 of varints (evidence-codec.ts). */
export type PackedWindow = z.infer<typeof windowSchema>;

const answerSchema = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  podUid: shapes.token,
  bootId: shapes.token,
  oldestSeq: shapes.counter,
  newestSeq: shapes.counter,
  stateDigest: shapes.token,
  acknowledgement: acknowledgementSchema,
  /** Each is read by itself. */
  windows: z.array(z.unknown()).max(WIRE_LIMITS.windows),
});

const answerKind: DocumentKind = {
  name: 'evidence answer',
  maxBytes: WIRE_LIMITS.evidenceAnswerBytes,
  nextStep: 'the pod counts as silent until it answers well-formed',
};

const windowKind: DocumentKind = {
  name: 'evidence window',
  maxBytes: WIRE_LIMITS.evidenceWindowBytes,
  nextStep: 'the window is dropped whole and counts as lost',
};

/** A window that did not count. */
export interface DroppedWindow {
  /** Null when the window does not even say its number. */
  readonly seq: number | null;
  readonly message: string;
}

/** An answer whose windows are all sound, and what was left out. */
export interface ReadEvidence {
  readonly answer: EvidenceAnswer;
  /** The same windows in the same order as they came: a fifth of the memory (`holdWindow`). */
  readonly packedWindows: readonly PackedWindow[];
  readonly droppedWindows: readonly DroppedWindow[];
}

interface SoundWindow {
  readonly packed: PackedWindow;
  readonly window: EvidenceWindow;
}

function readWindow(value: unknown, answer: Omit<EvidenceAnswer, 'windows'>): Result<SoundWindow> {
  const shape = checkShape(value, windowSchema, windowKind);
  if (!shape.ok) return shape;
  const { seq, podUid, bootId } = shape.value;
  if (podUid !== answer.podUid || bootId !== answer.bootId) {
    return refuse(windowKind, 'Invalid', `window ${seq} names another pod or boot than its answer`);
  }
  if (seq < answer.oldestSeq || seq > answer.newestSeq) {
    return refuse(windowKind, 'Invalid', `window ${seq} lies outside oldestSeq..newestSeq`);
  }
  const window = unpackWindow(shape.value);
  if (window === null)
    return refuse(
      windowKind,
      'Malformed',
      `counters of window ${seq} are cut or not base64 varints`,
    );
  const problem = checkEvidenceLaws(window);
  if (problem !== null) return refuse(windowKind, 'Invalid', `window ${seq}: ${problem}`);
  return { ok: true, value: { packed: shape.value, window } };
}

/**
 * Text -> evidence answer. The frame is strict and refused whole. A window that is malformed, belongs to another pod,
 * comes twice or breaks a law is dropped whole and reported: it is no data, never partial data. Windows come sorted by seq.
 */
export function parseEvidenceAnswer(text: string): Result<ReadEvidence> {
  const json = readJson(text, answerKind);
  if (!json.ok) return json;
  const shape = checkShape(json.value, answerSchema, answerKind);
  if (!shape.ok) return shape;
  const { windows: values, ...frame } = shape.value;
  if (
    frame.acknowledgement.podUid !== frame.podUid ||
    frame.acknowledgement.bootId !== frame.bootId
  ) {
    return refuse(answerKind, 'Invalid', 'field "acknowledgement" names another pod or boot');
  }
  const sound: SoundWindow[] = [];
  const droppedWindows: DroppedWindow[] = [];
  const seen = new Set<number>();
  for (const value of values) {
    const read = readWindow(value, frame);
    if (read.ok && !seen.has(read.value.window.seq)) {
      seen.add(read.value.window.seq);
      sound.push(read.value);
      continue;
    }
    const seq = valueAt(value, ['seq']);
    droppedWindows.push({
      seq: typeof seq === 'number' ? seq : null,
      message: read.ok ? `window ${read.value.window.seq} comes twice` : read.message,
    });
  }
  sound.sort((a, b) => a.window.seq - b.window.seq);
  const windows = sound.map(({ window }) => window);
  const packedWindows = sound.map(({ packed }) => packed);
  return { ok: true, value: { answer: { ...frame, windows }, packedWindows, droppedWindows } };
}

/** The one text of an answer: sorted keys, no white space, counters packed. Under 8 KiB a window (tested). */
export function serializeEvidenceAnswer(answer: EvidenceAnswer): string {
  return canonicalJson({ ...answer, windows: answer.windows.map(packWindow) });
}

export { checkEvidenceLaws };
