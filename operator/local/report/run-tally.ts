import type { EvidenceWindow, LatencyDigest } from '../../../crds/wire/evidence.ts';
import { createLatencyCounter, type LatencyCounter } from '../../../server/core/latency-digest.ts';
import type { InferAnswer } from '../replay/infer-codec.ts';
import { addWindow, emptyScopeEvidence, type ScopeEvidence } from './scope-evidence.ts';
import type { PlannedRow } from '../traffic/traffic-plan.ts';

/** A row that an exit answered: what the final comparison with the backbone needs. */
export interface EarlyRow {
  readonly row: PlannedRow;
  readonly classId: number;
  readonly inServing: boolean;
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
  optedOut: number;
  readonly addAnswer: (row: PlannedRow, answer: InferAnswer, latencyMs: number) => void;
  readonly addError: (code: string) => void;
  readonly addWindow: (window: EvidenceWindow) => void;
  setPolicyScope(policy: string, scope: PolicyScope): void;
  /** An exit is off on a server without the operator: rows answered meanwhile are not in the serving scope. */
  setSwitchedOff(isSwitchedOff: boolean): void;
  /** Client latencies per exit, for the table. */
  readonly latency: Map<string, LatencyCounter>;
}

export function createRunTally(labels: Int32Array | null): RunTally {
  const run = emptyScope();
  const serving = emptyScope();
  const scopes = new Map<string, PolicyScope>();
  let isSwitchedOff = false;
  const tally: RunTally = {
    run,
    serving,
    early: [],
    errors: new Map(),
    optedOut: 0,
    latency: new Map(),
    addAnswer: (row, answer, latencyMs) => {
      countLatency(tally.latency, answer.exit, latencyMs);
      const policy = scopes.get(answer.policy) ?? UNKNOWN_POLICY;
      const inServing = policy.isServing && !isSwitchedOff && !row.isRepeated;
      const [classId = -1] = answer.classIds;
      const isRight = labelOutcome(labels, row, classId);
      const charged = policy.areExitsOn ? answer : { ...answer, headRevision: '' };
      addToScope(run, row, charged, isRight);
      if (inServing) addToScope(serving, row, charged, isRight);
      if (answer.exit === 'backbone' || row.isRepeated) return;
      tally.early.push({ row, classId, inServing });
    },
    addError: (code) => {
      tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1);
    },
    addWindow: (window) => {
      addWindow(run.evidence, window);
      if (scopes.get(`${window.epoch}.${window.policyRevision}`)?.isServing === true) {
        addWindow(serving.evidence, window);
      }
    },
    setPolicyScope: (policy, scope) => {
      scopes.set(policy, scope);
    },
    setSwitchedOff: (value) => {
      isSwitchedOff = value;
    },
  };
  return tally;
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
  byExit.set(answer.exit, (byExit.get(answer.exit) ?? 0) + 1);
  if (isRight === null) return;
  scope.labelled += 1;
  if (!isRight) return;
  scope.right += 1;
  if (answer.exit === 'backbone') scope.rightByBackbone += 1;
}

export function digestOf(
  counters: ReadonlyMap<string, LatencyCounter>,
  exit: string,
): LatencyDigest {
  return counters.get(exit)?.snapshot() ?? [];
}
