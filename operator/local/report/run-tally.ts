import type { EvidenceWindow, LatencyDigest } from '../../../crds/wire/evidence.ts';
import { createLatencyCounter, type LatencyCounter } from '../../../server/core/latency-digest.ts';
import type { InferAnswer } from '../replay/infer-codec.ts';
import type { RunCounts } from './run-history.ts';
import { addWindow, emptyScopeEvidence, type ScopeEvidence } from './scope-evidence.ts';
import type { PlannedRow } from '../traffic/traffic-plan.ts';

/** A row that an exit answered: what the final comparison with the backbone needs. */
export interface EarlyRow {
  readonly row: PlannedRow;
  readonly classId: number;
  /** As the answer has them; null: its class says all. */
  readonly parts: Float32Array | null;
  readonly inServing: boolean;
  /** Drifted, and answered before exits went off for it. */
  readonly isExposed: boolean;
}

/** What a published policy means for the rows it served. */
export interface PolicyScope {
  /** One certified revision had all traffic and exits were on. */
  readonly isServing: boolean;
  /** False: heads ran on audited rows only, which their windows count. */
  readonly areExitsOn: boolean;
}

export interface ScopeTally {
  requests: number;
  /** Without rows that --loop repeated. */
  distinct: number;
  /** By head revision (empty: none in force) and exit; backbone rows are under the revision whose heads they passed. */
  readonly rows: Map<string, Map<string, number>>;
  readonly evidence: ScopeEvidence;
  /** Rows with a label, and how many of them were answered right. */
  labelled: number;
  right: number;
  /** Of those that the backbone answered itself: right. */
  rightByBackbone: number;
}

/** Counters of one run. Opted-out rows are in `optedOut` and nowhere else. */
export interface RunTally {
  readonly run: ScopeTally;
  readonly serving: ScopeTally;
  readonly early: EarlyRow[];
  readonly errors: Map<string, number>;
  /** Labelled rows that the backbone answered because exits were off, and those of them answered as labelled. */
  readonly plain: { n: number; right: number };
  optedOut: number;
  /** Drifted rows that were answered while a drift was on and exits were not off for it yet: by anyone, and by an exit. */
  readonly exposed: { n: number; early: number };
  readonly addAnswer: (row: PlannedRow, answer: InferAnswer, latencyMs: number) => void;
  readonly addError: (code: string) => void;
  /** Requests that failed, of all codes. */
  readonly failed: () => number;
  readonly addWindow: (window: EvidenceWindow) => void;
  /** Rows that others sent: known from what a server counts. */
  readonly addServed: (window: EvidenceWindow) => void;
  setPolicyScope(policy: string, scope: PolicyScope): void;
  /** An exit is off on a server without the operator: rows answered meanwhile are not in the serving scope. */
  setSwitchedOff(isSwitchedOff: boolean): void;
  /** A drift is on that exits are not off for yet. */
  setExposed(isExposed: boolean): void;
  /** Client latencies per exit, for the table. */
  readonly latency: Map<string, LatencyCounter>;
}

export function createRunTally(labels: Int32Array | null): RunTally {
  const run = emptyScope();
  const serving = emptyScope();
  const scopes = new Map<string, PolicyScope>();
  let isSwitchedOff = false;
  let isDriftUnanswered = false;
  const tally: RunTally = {
    run,
    serving,
    early: [],
    errors: new Map(),
    plain: { n: 0, right: 0 },
    optedOut: 0,
    exposed: { n: 0, early: 0 },
    latency: new Map(),
    addAnswer: (row, answer, latencyMs) => {
      countLatency(tally.latency, answer.exit, latencyMs);
      const policy = scopes.get(answer.policy) ?? UNKNOWN_POLICY;
      const inServing = isInServing(policy, row) && !isSwitchedOff;
      const [classId = -1] = answer.classIds;
      const isRight = labelOutcome(labels, row, classId);
      countLabel(tally, isRight, policy);
      const isExposed = isDriftUnanswered && isNewAndDrifted(row);
      const charged = chargedTo(policy, answer);
      for (const scope of inServing ? [run, serving] : [run]) {
        addToScope(scope, row, charged, isRight);
      }
      const isEarly = answer.exit !== 'backbone';
      if (isExposed) countExposed(tally.exposed, isEarly);
      if (isEarly && !row.isRepeated) {
        tally.early.push({ row, classId, parts: partsOf(answer), inServing, isExposed });
      }
    },
    addError: (code) => {
      addCount(tally.errors, code, 1);
    },
    failed: () => [...tally.errors.values()].reduce((sum, count) => sum + count, 0),
    addWindow: (window) => {
      addWindow(run.evidence, window);
      if (scopes.get(`${window.epoch}.${window.policyRevision}`)?.isServing === true) {
        addWindow(serving.evidence, window);
      }
    },
    addServed: (window) => {
      const policy = scopes.get(`${window.epoch}.${window.policyRevision}`) ?? UNKNOWN_POLICY;
      tally.optedOut += window.served.optedOut;
      if (window.served.errors > 0) addCount(tally.errors, 'row_failed', window.served.errors);
      addServed(run, window, policy);
      if (policy.isServing && !isSwitchedOff) addServed(serving, window, policy);
    },
    setPolicyScope: (policy, scope) => {
      scopes.set(policy, scope);
    },
    setSwitchedOff: (value) => {
      isSwitchedOff = value;
    },
    setExposed: (value) => {
      isDriftUnanswered = value;
    },
  };
  return tally;
}

function addCount(counts: Map<string, number>, key: string, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

/** Rows of a window by who answered: its exits in order, then the backbone. */
function addServed(scope: ScopeTally, window: EvidenceWindow, { areExitsOn }: PolicyScope): void {
  const headRevision = areExitsOn ? (window.headRevision ?? '') : '';
  const byExit = scope.rows.get(headRevision) ?? new Map<string, number>();
  scope.rows.set(headRevision, byExit);
  window.served.rows.forEach((rows, exit) => {
    scope.requests += rows;
    scope.distinct += rows;
    if (rows > 0) addCount(byExit, window.exits[exit] ?? 'backbone', rows);
  });
}

/** A row that is repeated is not compared. */
function isNewAndDrifted({ isDrifted, isRepeated }: PlannedRow): boolean {
  return isDrifted && !isRepeated;
}

function countExposed(exposed: RunTally['exposed'], isEarly: boolean): void {
  exposed.n += 1;
  if (isEarly) exposed.early += 1;
}

/** Of the one row that a request of a replay has. */
function partsOf({ parts }: InferAnswer): Float32Array | null {
  return parts?.[0] ?? null;
}

/** While exits are off a row is charged to no heads. */
function chargedTo({ areExitsOn }: PolicyScope, answer: InferAnswer): InferAnswer {
  return areExitsOn ? answer : { ...answer, headRevision: '' };
}

function isInServing({ isServing }: PolicyScope, { isRepeated }: PlannedRow): boolean {
  return isServing && !isRepeated;
}

/** A policy of another run, or none yet. */
const UNKNOWN_POLICY: PolicyScope = { isServing: false, areExitsOn: false };

function emptyScope(): ScopeTally {
  return {
    requests: 0,
    distinct: 0,
    rows: new Map(),
    evidence: emptyScopeEvidence(),
    labelled: 0,
    right: 0,
    rightByBackbone: 0,
  };
}

function countLatency(
  counters: Map<string, LatencyCounter>,
  exit: string,
  latencyMs: number,
): void {
  const counter = counters.get(exit) ?? createLatencyCounter();
  counters.set(exit, counter);
  counter.add(latencyMs * 1000);
}

/** Null: no label for this row. */
function labelOutcome(labels: Int32Array | null, row: PlannedRow, classId: number): boolean | null {
  if (labels === null || row.part === 'Training') return null;
  return labels[row.index] === classId;
}

function countLabel(
  { plain }: RunTally,
  isRight: boolean | null,
  { areExitsOn }: PolicyScope,
): void {
  if (isRight === null || areExitsOn) return;
  plain.n += 1;
  if (isRight) plain.right += 1;
}

function addToScope(
  scope: ScopeTally,
  row: PlannedRow,
  answer: InferAnswer,
  isRight: boolean | null,
): void {
  scope.requests += 1;
  if (!row.isRepeated) scope.distinct += 1;
  const byExit = scope.rows.get(answer.headRevision) ?? new Map<string, number>();
  scope.rows.set(answer.headRevision, byExit);
  addCount(byExit, answer.exit, 1);
  if (isRight === null) return;
  scope.labelled += 1;
  if (!isRight) return;
  scope.right += 1;
  if (answer.exit === 'backbone') scope.rightByBackbone += 1;
}

/** What a point of the report's history is made of. */
export function countsOf(
  { run }: RunTally,
  exits: readonly { readonly name: string }[],
): Omit<RunCounts, 'atSeconds'> {
  const { audits, disagreements } = run.evidence;
  const names = [...exits.map(({ name }) => name), 'backbone'];
  return { rows: names.map((exit) => rowsAt(run, exit)), audits, disagreements };
}

/** Rows that left at an exit, or ran to the end, under all revisions. */
export function rowsAt({ rows }: ScopeTally, exit: string): number {
  return [...rows.values()].reduce((sum, byExit) => sum + (byExit.get(exit) ?? 0), 0);
}

export function digestOf(
  counters: ReadonlyMap<string, LatencyCounter>,
  exit: string,
): LatencyDigest {
  return counters.get(exit)?.snapshot() ?? [];
}
