import { SCORE_BINS } from './evidence-codec.ts';
import type {
  EvidenceGrid,
  EvidenceStratum,
  EvidenceWindow,
  LatencyDigest,
  PairedEvidence,
} from './evidence.ts';
import { WHOLE_LOSS } from './agreement.ts';
import { LAMBDA_COUNT } from './lambda-grid.ts';

/** What must hold in every evidence window: laws 1 to 3 of exits.md 5.3, and that its parts belong together. */

function isCounter(x: number): boolean {
  return Number.isSafeInteger(x) && x >= 0;
}

/** In a loop of its own: an operator asks it of a million counters a second. */
function areCounters(values: readonly number[]): boolean {
  for (const value of values) if (!isCounter(value)) return false;
  return true;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function findGridShapeProblem(grid: EvidenceGrid, exitCount: number): string | null {
  if (!isCounter(grid.n)) return 'n is not a counter';
  if (grid.leave.length !== exitCount) return 'the grid has not one row of leave per exit';
  const columns = [grid.dis, ...grid.leave];
  if (columns.some((column) => column.length !== LAMBDA_COUNT)) {
    return `the grid has not ${LAMBDA_COUNT} columns`;
  }
  return columns.every(areCounters) ? null : 'the grid holds something that is no counter';
}

function findGridProblem(grid: EvidenceGrid, exitCount: number): string | null {
  const shape = findGridShapeProblem(grid, exitCount);
  if (shape !== null) return shape;
  const gone = new Array<number>(LAMBDA_COUNT).fill(0);
  for (const column of grid.leave) {
    let previous = 0;
    for (let j = 0; j < LAMBDA_COUNT; j++) {
      const goneHere = Number(gone[j]) + Number(column[j]);
      if (goneHere > grid.n) return `more rows leave at lambda ${j} than there are`;
      if (goneHere < previous) return `fewer rows are gone at lambda ${j} than at the one before`;
      gone[j] = goneHere;
      previous = goneHere;
    }
  }
  const j = grid.dis.findIndex((disagreements, column) => disagreements > Number(gone[column]));
  return j < 0 ? null : `more disagreements at lambda ${j} than rows that leave`;
}

/** No exit loses more than all of the rows that left there, nor anything where none of its answers disagrees. */
function findExitLossProblem({
  exits,
  losses,
  strata,
  exitLossTenths,
}: EvidenceWindow): string | null {
  if (exitLossTenths === undefined) return null;
  if (losses === undefined) return 'losses by exit come with losses';
  if (exitLossTenths.length !== exits.length) return 'losses by exit are not one for each';
  const e = exits.findIndex((exit, at) => {
    const wrong = sum(strata.filter((s) => s.exit === exit).map((s) => s.disagreements));
    const tenths = Number(exitLossTenths[at]);
    return tenths < wrong || tenths > WHOLE_LOSS * wrong;
  });
  return e < 0 ? null : `what exit ${String(exits[e])} loses is not of its rows that disagree`;
}

/** Every disagreeing row has one loss. */
function findLossProblem({ grid, losses }: EvidenceWindow): string | null {
  if (losses === undefined) return null;
  const areColumns =
    losses.length === WHOLE_LOSS && losses.every((column) => column.length === LAMBDA_COUNT);
  if (!areColumns) return `losses are not ${WHOLE_LOSS} rows of ${LAMBDA_COUNT} columns`;
  if (!losses.every(areCounters)) return 'losses hold something that is no counter';
  const j = grid.dis.findIndex(
    (rows, column) => rows !== sum(losses.map((loss) => Number(loss[column]))),
  );
  return j < 0 ? null : `losses at lambda ${j} are not those of the rows that disagree`;
}

function findStratumProblem(
  window: EvidenceWindow,
  exit: string,
  leave: readonly number[],
): string | null {
  const strata = window.strata.filter((s) => s.exit === exit);
  if (new Set(strata.map((s) => s.classId)).size !== strata.length)
    return `exit ${exit} has a class twice`;
  const limit = window.lambdaIndex === null ? window.grid.n : Number(leave[window.lambdaIndex]);
  return sum(strata.map((s) => s.audits)) <= limit
    ? null
    : `exit ${exit} has more audits by class than rows`;
}

function isStratum({ classId, audits, disagreements }: EvidenceStratum): boolean {
  return (
    Number.isSafeInteger(classId) &&
    classId >= -1 &&
    isCounter(audits) &&
    isCounter(disagreements) &&
    disagreements <= audits
  );
}

function findStrataProblem(window: EvidenceWindow): string | null {
  if (!window.strata.every(isStratum))
    return 'audits by class are no counters, or disagreements exceed them';
  if (window.strata.some((s) => !window.exits.includes(s.exit)))
    return 'audits by class name a foreign exit';
  for (const [index, leave] of window.grid.leave.entries()) {
    const problem = findStratumProblem(window, String(window.exits[index]), leave);
    if (problem !== null) return problem;
  }
  return null;
}

function findPairedProblem(window: EvidenceWindow, paired: PairedEvidence): string | null {
  if (window.track !== 'candidate') return 'paired evidence belongs to a candidate';
  if (window.lambdaIndex !== null && paired.candidateLambdaIndex !== window.lambdaIndex) {
    return 'paired evidence is of another lambda';
  }
  const { joint, stableExits, onlyStableWrong, onlyCandidateWrong } = paired;
  if (joint.length !== stableExits.length + 1)
    return 'the joint table has not one row per stable exit';
  if (joint.some((row) => row.length !== window.exits.length + 1)) {
    return 'the joint table has not one column per exit';
  }
  if (!joint.every(areCounters) || !areCounters([onlyStableWrong, onlyCandidateWrong])) {
    return 'paired evidence holds something that is no counter';
  }
  const rows = sum(joint.flat());
  if (rows > window.grid.n) return 'the joint table has more rows than were audited';
  return onlyStableWrong + onlyCandidateWrong <= rows
    ? null
    : 'more rows are discordant than paired';
}

function findServedProblem({ served, exits }: EvidenceWindow): string | null {
  const exitCount = exits.length;
  if (served.rows.length !== exitCount + 1 || served.latency.length !== exitCount + 1) {
    return 'served counters have not one entry per exit and one for the backbone';
  }
  if (
    served.scoreBins.length !== exitCount ||
    served.scoreBins.some((bins) => bins.length !== SCORE_BINS)
  ) {
    return `score histograms have not ${SCORE_BINS} bins per exit`;
  }
  const { rows, optedOut, forced, errors, numericFallbacks, scoreBins } = served;
  const areAllCounters =
    areCounters(rows) &&
    areCounters([optedOut, forced, errors, numericFallbacks]) &&
    scoreBins.every(areCounters);
  if (!areAllCounters) return 'served counters hold something that is no counter';
  return served.latency.every(isAscending)
    ? null
    : 'latency buckets do not ascend or are no counters';
}

function isAscending(digest: LatencyDigest): boolean {
  let previous = -Infinity;
  for (const [bucket, count] of digest) {
    if (!Number.isSafeInteger(bucket) || !isCounter(count) || bucket <= previous) return false;
    previous = bucket;
  }
  return true;
}

function findTrackProblem(window: EvidenceWindow): string | null {
  if ((window.headRevision === null) !== (window.track === null))
    return 'headRevision and track come together';
  if (window.headRevision === null && window.exits.length > 0)
    return 'exits without a head revision';
  if (window.auditsLost > window.auditsChosen) return 'more audits were lost than chosen';
  if (window.switchedOff.some((exit) => !window.exits.includes(exit)))
    return 'switchedOff names a foreign exit';
  return null;
}

/**
 * The first law that a window breaks, as half a sentence, or null. Rows gone up to an exit never fall as lambda grows;
 * rows that leave never exceed rows, disagreements never exceed rows that leave. `leave[e]` alone and `dis` may fall:
 * a looser lambda may send a row to an earlier head that is right.
 */
export function checkEvidenceLaws(window: EvidenceWindow): string | null {
  return (
    findTrackProblem(window) ??
    findGridProblem(window.grid, window.exits.length) ??
    findLossProblem(window) ??
    findExitLossProblem(window) ??
    findStrataProblem(window) ??
    (window.paired === null ? null : findPairedProblem(window, window.paired)) ??
    findServedProblem(window)
  );
}
