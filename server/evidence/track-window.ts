import type {
  EvidenceStratum,
  PairedEvidence,
  ServedCounters,
  Track,
} from '../../crds/wire/evidence.ts';
import type { Agreement } from '../core/agreement.ts';
import { decideRow } from '../core/decide.ts';
import type { LatencyCounter } from '../core/latency-digest.ts';
import { createLatencyCounter } from '../core/latency-digest.ts';
import type { LossCounter } from '../core/loss-evidence.ts';
import { createLossGrid } from '../core/loss-evidence.ts';
import { scoreBin, SCORE_BINS } from '../core/score-bin.ts';
import type { AuditedRow, PlannedTrack, ScoredRow } from '../engine/engine-client.ts';

const COMMON_CLASSES = 64;

/** Counters of one head revision (or of no heads) while a window is open. */
export interface TrackWindow {
  readonly track: Track;
  readonly planned: PlannedTrack | null;
  readonly exits: readonly string[];
  readonly grid: LossCounter;
  readonly served: {
    readonly rows: number[];
    optedOut: number;
    forced: number;
    errors: number;
    numericFallbacks: number;
    readonly latency: readonly LatencyCounter[];
    readonly scoreBins: readonly number[][];
  };
  /** By exit: tenths of rows. */
  readonly exitLossTenths: number[];
  /** By exit, then class. */
  readonly strata: readonly Map<number, { audits: number; disagreements: number }>[];
}

export function openTrackWindow(track: Track, planned: PlannedTrack | null): TrackWindow {
  const exits = planned?.bundle.heads.map((head) => head.exit) ?? [];
  return {
    track,
    planned,
    exits,
    grid: createLossGrid(exits.length),
    served: {
      rows: new Array<number>(exits.length + 1).fill(0),
      optedOut: 0,
      forced: 0,
      errors: 0,
      numericFallbacks: 0,
      latency: Array.from({ length: exits.length + 1 }, createLatencyCounter),
      scoreBins: exits.map(() => new Array<number>(SCORE_BINS).fill(0)),
    },
    exitLossTenths: exits.map(() => 0),
    strata: exits.map(() => new Map<number, { audits: number; disagreements: number }>()),
  };
}

/** Where the row would have left at the lambda in force: the decision of the engine, on the same scores. */
export function exitInForce(planned: PlannedTrack, scores: ArrayLike<number>): number {
  return decideRow(scores, planned.lambdaIndex, planned.activeExits.length);
}

/** Adds one audited row to the revision's grid, strata and score bins. */
export function addAudit(window: TrackWindow, scored: ScoredRow): void {
  if (window.planned === null) return;
  window.grid.addRow(scored.scores, scored.lossTenths);
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
  const lossTenths = scored.lossTenths[exit] ?? 0;
  stratum.disagreements += lossTenths === 0 ? 0 : 1;
  window.exitLossTenths[exit] = (window.exitLossTenths[exit] ?? 0) + lossTenths;
  strata.set(classId, stratum);
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

/**
 * Null unless both tracks have a lambda; they are the first and second of an audited row. Of two answers the one that loses more
 * by the agreement is wrong.
 */
export function createPairedCounter(
  tracks: readonly PlannedTrack[],
  { unitsOf }: Agreement,
): PairedCounter | null {
  const [stable, candidate] = tracks;
  if (stable === undefined || candidate === undefined) return null;
  const { lambdaIndex: stableLambdaIndex } = stable;
  const { lambdaIndex: candidateLambdaIndex } = candidate;
  if (stableLambdaIndex === null || candidateLambdaIndex === null) return null;
  const columns = candidate.bundle.heads.length + 1;
  const joint = [...stable.bundle.heads, null].map(() => new Array<number>(columns).fill(0));
  let onlyStableWrong = 0;
  let onlyCandidateWrong = 0;

  return {
    add: ({ tracks: [s, c] }) => {
      if (s === undefined || c === undefined) return;
      const a = outcomeInForce(stable, s);
      const b = outcomeInForce(candidate, c);
      const line = joint[a.place];
      if (line !== undefined) line[b.place] = (line[b.place] ?? 0) + 1;
      const lead = unitsOf(a.lossTenths) - unitsOf(b.lossTenths);
      if (lead > 0) onlyStableWrong += 1;
      if (lead < 0) onlyCandidateWrong += 1;
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

/** Where the row would have been answered, the backbone last, and what that answer loses against the backbone's. */
function outcomeInForce(
  planned: PlannedTrack,
  { scores, lossTenths }: ScoredRow,
): { readonly place: number; readonly lossTenths: number } {
  const exit = exitInForce(planned, scores);
  if (exit === -1) return { place: planned.bundle.heads.length, lossTenths: 0 };
  return { place: exit, lossTenths: lossTenths[exit] ?? 0 };
}
