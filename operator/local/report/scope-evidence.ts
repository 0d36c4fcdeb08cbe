import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { lostRowsAt, lostRowsOfExit } from '../../stats/window-losses.ts';

/** Audited rows of one head revision, as far as the price of auditing needs them. */
export interface AuditedRevision {
  /** Rows on which all heads ran although they could answer nothing. */
  shadowRows: number;
  /** Audited rows served by the revision; of them, per exit, those that an exit answered and that ran on to the end. */
  servedRows: number;
  readonly left: number[];
}

/** What the evidence windows of one scope add up to; a window is reduced when it comes, so a long run holds no more. */
export interface ScopeEvidence {
  audits: number;
  /** Rows; where the agreement is F1 the sum of their losses. */
  disagreements: number;
  busySeconds: number;
  plainSeconds: number;
  readonly revisions: Map<string, AuditedRevision>;
  /** Audited rows by the exit that answered them, and what they lose. */
  readonly exits: Map<string, { audits: number; disagreements: number }>;
}

export function emptyScopeEvidence(): ScopeEvidence {
  return {
    audits: 0,
    disagreements: 0,
    busySeconds: 0,
    plainSeconds: 0,
    revisions: new Map(),
    exits: new Map(),
  };
}

export function addWindow(scope: ScopeEvidence, window: EvidenceWindow): void {
  if (window.compute !== null) {
    const { segment, head, companion, compact, audit, plain } = window.compute;
    scope.busySeconds += segment + head + companion + compact + audit;
    scope.plainSeconds += plain;
  }
  if (window.headRevision === null) return;
  const revision = revisionOf(scope, window.headRevision, window.exits.length);
  const { grid, lambdaIndex, share } = window;
  if (!window.exitsEnabled || lambdaIndex === null || share === 0) {
    revision.shadowRows += grid.n;
    return;
  }
  scope.audits += grid.n;
  // Tenths are whole numbers: their sum stays one.
  scope.disagreements = toTenths(scope.disagreements + lostRowsAt(window, lambdaIndex));
  // An audited row feeds every loaded revision; this one served its share of them.
  revision.servedRows += share * grid.n;
  revision.shadowRows += (1 - share) * grid.n;
  for (const exit of new Set(window.strata.map((s) => s.exit))) {
    const counts = scope.exits.get(exit) ?? { audits: 0, disagreements: 0 };
    scope.exits.set(exit, counts);
    counts.audits += window.strata.reduce((sum, s) => sum + (s.exit === exit ? s.audits : 0), 0);
    counts.disagreements = toTenths(counts.disagreements + lostRowsOfExit(window, exit));
  }
  grid.leave.forEach((column, exit) => {
    revision.left[exit] = (revision.left[exit] ?? 0) + share * (column[lambdaIndex] ?? 0);
  });
}

function revisionOf(scope: ScopeEvidence, headRevision: string, exits: number): AuditedRevision {
  const known = scope.revisions.get(headRevision);
  if (known !== undefined) return known;
  const fresh = { shadowRows: 0, servedRows: 0, left: new Array<number>(exits).fill(0) };
  scope.revisions.set(headRevision, fresh);
  return fresh;
}

/**
 * Opted-out rows stand outside every figure, but the engine's busy seconds of a tick include theirs. A group of windows
 * that were open together and answered nothing else loses its seconds; the load generator sees to it that a group holds
 * opted-out rows alone or none. `compute` is in the first window of a group.
 */
export function withoutOptedOutSeconds(windows: readonly EvidenceWindow[]): EvidenceWindow[] {
  const groups: EvidenceWindow[][] = [];
  for (const window of windows) {
    const group = groups.at(-1);
    if (group === undefined || window.compute !== null) groups.push([window]);
    else group.push(window);
  }
  return groups.flatMap((group) => {
    const optedOut = group.reduce((sum, { served }) => sum + served.optedOut, 0);
    const others = group.reduce(
      (sum, { served }) => sum + served.rows.reduce((a, b) => a + b, 0),
      0,
    );
    const isForeign = optedOut > 0 && others === 0;
    return isForeign ? group.map((window) => ({ ...window, compute: null })) : group;
  });
}

/** Tenths are whole numbers: their sum stays one. */
export function toTenths(rows: number): number {
  return Math.round(10 * rows) / 10;
}
