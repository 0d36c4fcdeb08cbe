import type {
  EvidenceStratum,
  PairedEvidence,
  ServedCounters,
  Track,
} from '../../crds/wire/evidence.ts';
import { decideRow } from '../core/decide.ts';
import type { EvidenceCounter } from '../core/evidence.ts';
import { createEvidenceGrid } from '../core/evidence.ts';
import type { LatencyCounter } from '../core/latency-digest.ts';
import { createLatencyCounter } from '../core/latency-digest.ts';
import type { AuditedRow, PlannedTrack } from '../engine/engine-client.ts';

const SCORE_BINS = 16;
const COMMON_CLASSES = 64;

/** Counters of one head revision (or of no heads) while a window is open. */
export interface TrackWindow {
  readonly track: Track;
  readonly planned: PlannedTrack | null;
  readonly exits: readonly string[];
  readonly grid: EvidenceCounter;
  readonly served: {
    readonly rows: number[];
    optedOut: number;
    forced: number;
    errors: number;
    numericFallbacks: number;
    readonly latency: readonly LatencyCounter[];
    readonly scoreBins: readonly number[][];
  };
  /** By exit, then class. */
  readonly strata: readonly Map<number, { audits: number; disagreements: number }>[];
}

export function openTrackWindow(track: Track, planned: PlannedTrack | null): TrackWindow {
  const exits = planned?.bundle.heads.map((head) => head.exit) ?? [];
  return {
    track,
    planned,
    exits,
    grid: createEvidenceGrid(exits.length),
    served: {
      rows: new Array<number>(exits.length + 1).fill(0),
      optedOut: 0,
      forced: 0,
      errors: 0,
      numericFallbacks: 0,
      latency: Array.from({ length: exits.length + 1 }, createLatencyCounter),
      scoreBins: exits.map(() => new Array<number>(SCORE_BINS).fill(0)),
    },
    strata: exits.map(() => new Map<number, { audits: number; disagreements: number }>()),
  };
}

/** Where the row would have left at the lambda in force: the decision of the engine, on the same scores. */
export function exitInForce(planned: PlannedTrack, scores: ArrayLike<number>): number {
  return decideRow(scores, planned.lambdaIndex, planned.activeExits.length);
}

/** Adds one audited row to the revision's grid, strata and score bins. */
export function addAudit(
  window: TrackWindow,
  scored: AuditedRow['tracks'][number],
  backboneClass: number,
): void {
  if (window.planned === null) return;
  const agrees = Array.from(scored.classes, (classId) => classId === backboneClass);
  window.grid.addRow(scored.scores, agrees);
  scored.scores.forEach((score, exit) => {
    const bins = window.served.scoreBins[exit];
    if (bins === undefined || !Number.isFinite(score)) return;
    const bin = scoreBin(score);
    bins[bin] = (bins[bin] ?? 0) + 1;
  });
  const exit = exitInForce(window.planned, scored.scores);
  const strata = window.strata[exit];
  const classId = scored.classes[exit];
  if (strata === undefined || classId === undefined) return;
  const stratum = strata.get(classId) ?? { audits: 0, disagreements: 0 };
  stratum.audits += 1;
  stratum.disagreements += agrees[exit] === true ? 0 : 1;
  strata.set(classId, stratum);
}

/** Bins of width 1 over logit q in [-8, 8), clamped. */
function scoreBin(score: number): number {
  const logit = Math.log(score / (1 - score));
  return Math.min(SCORE_BINS - 1, Math.max(0, Math.floor(logit) + SCORE_BINS / 2));
}

export function toServedCounters({ served }: TrackWindow): ServedCounters {
  return { ...served, latency: served.latency.map((counter) => counter.snapshot()) };
}

export function toStrata(window: TrackWindow): EvidenceStratum[] {
  return window.strata.flatMap((classes, e) => {
    const exit = window.exits[e] ?? '';
    const byAudits = [...classes].sort(([a, x], [b, y]) => y.audits - x.audits || a - b);
    const strata = byAudits
      .slice(0, COMMON_CLASSES)
      .map(([classId, counts]) => ({ exit, classId, ...counts }));
    const rest = byAudits.slice(COMMON_CLASSES);
    if (rest.length === 0) return strata;
    const audits = rest.reduce((sum, [, counts]) => sum + counts.audits, 0);
    const disagreements = rest.reduce((sum, [, counts]) => sum + counts.disagreements, 0);
    return [...strata, { exit, classId: -1, audits, disagreements }];
  });
}

/** Stable against candidate on the same audited rows (exits.md 9.1). */
export interface PairedCounter {
  add(row: AuditedRow): void;
  snapshot(): PairedEvidence;
}

/** Null unless both tracks have a lambda: `stable`, `candidate` index the tracks of an audited row. */
export function createPairedCounter(tracks: readonly PlannedTrack[]): PairedCounter | null {
  const [stable, candidate] = tracks;
  if (stable?.lambdaIndex == null || candidate?.lambdaIndex == null) return null;
  const { lambdaIndex: stableLambdaIndex } = stable;
  const { lambdaIndex: candidateLambdaIndex } = candidate;
  const [stableExits, candidateExits] = [stable.bundle.heads.length, candidate.bundle.heads.length];
  const joint = Array.from({ length: stableExits + 1 }, () =>
    new Array<number>(candidateExits + 1).fill(0),
  );
  let onlyStableWrong = 0;
  let onlyCandidateWrong = 0;

  return {
    add: ({ tracks: [s, c], backboneClass }) => {
      if (s === undefined || c === undefined) return;
      const [i, j] = [exitInForce(stable, s.scores), exitInForce(candidate, c.scores)];
      const line = joint[i === -1 ? stableExits : i];
      const column = j === -1 ? candidateExits : j;
      if (line !== undefined) line[column] = (line[column] ?? 0) + 1;
      const stableWrong = i !== -1 && s.classes[i] !== backboneClass;
      const candidateWrong = j !== -1 && c.classes[j] !== backboneClass;
      if (stableWrong && !candidateWrong) onlyStableWrong += 1;
      if (candidateWrong && !stableWrong) onlyCandidateWrong += 1;
    },
    snapshot: () => ({
      stableHeadRevision: stable.headRevision,
      stableExits: stable.bundle.heads.map((head) => head.exit),
      stableLambdaIndex,
      candidateLambdaIndex,
      joint: joint.map((line) => [...line]),
      onlyStableWrong,
      onlyCandidateWrong,
    }),
  };
}
