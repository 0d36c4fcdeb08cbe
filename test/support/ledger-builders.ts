// Ledgers in any stage, said in what matters: who has been certified on what.
import { LAMBDA_COUNT } from '../../crds/wire/lambda-grid.ts';
import type { EvidenceGrid } from '../../crds/wire/evidence.ts';
import { createDetector } from '../../server/core/detector.ts';
import { addTick, emptyBlocks } from '../../operator/stats/dispersion.ts';
import { startStep } from '../../operator/lifecycle/checks.ts';
import { decide } from '../../operator/lifecycle/decide.ts';
import {
  emptyLedger,
  NO_REQUESTS,
  parseLedger,
  serializeLedger,
  type Attempt,
  type CandidateRecord,
  type Ledger,
  type StableRecord,
} from '../../operator/lifecycle/ledger.ts';
import type { LifecycleInput, LifecyclePlan, StoredLook } from '../../operator/lifecycle/types.ts';
import {
  aDigest,
  aGrid,
  anAcknowledgement,
  anInput,
  aPod,
  aRevision,
  BACKBONE_DIGEST,
  EXITS,
  REVISION,
  START_MS,
} from './builders.ts';

/** The backbone of `aBackbone`, as ledgers name it. */
export const BACKBONE_KEY = [BACKBONE_DIGEST, ...EXITS.map((e) => `${e}=${e}_out`)].join(' ');
export const OTHER_REVISION = aDigest(0xa2);
/** Stable's lambda in every builder. */
export const LAMBDA = 60;

export function anAttempt(fields: Partial<Attempt> = {}): Attempt {
  return {
    attempt: 1,
    budget: 0.01,
    confidence: 0.95,
    firstLookRows: 1_000,
    startedAtMs: START_MS,
    blocks: emptyBlocks(2),
    pods: [],
    looks: [],
    answeredRows: 0,
    ...fields,
  };
}

/** Evidence of so many rows in equal blocks with no disagreement. */
export function blocksOf(audits: number, count = 20): Attempt['blocks'] {
  let blocks = emptyBlocks(2);
  for (let i = 0; i < count; i++) blocks = addTick(blocks, aGrid(audits / count, 0));
  return blocks;
}

/** A grid that no row leaves above `lambdaIndex` wrongly, and many do beyond. */
export function gridUpTo(audits: number, lambdaIndex: number | null): EvidenceGrid {
  const last = lambdaIndex ?? -1;
  const grid = aGrid(audits, 0);
  return {
    ...grid,
    dis: Array.from({ length: LAMBDA_COUNT }, (_, j) => (j <= last ? 0 : Math.floor(audits / 4))),
  };
}

export function aLook(look: number, lambdaIndex: number | null, audits = 1_000): StoredLook {
  const grid = gridUpTo(audits, lambdaIndex);
  return { look, grid, dispersion: 1, flagged: null, lambdaIndex, takenAtMs: START_MS };
}

/** An attempt that took one look. */
export function aLookedAttempt(look: number, lambdaIndex: number | null): Attempt {
  const audits = [1_000, 3_000, 10_000][look - 1]!;
  return anAttempt({
    blocks: blocksOf(audits),
    looks: [aLook(look, lambdaIndex, audits)],
    answeredRows: audits,
  });
}

const CERTIFICATE = {
  audits: 1_000,
  disagreements: 0,
  dispersion: 1,
  attempt: 1,
  look: 1,
  backboneDigest: BACKBONE_DIGEST,
};

/** Heads that serve at LAMBDA. */
export function aStable(fields: Partial<StableRecord> = {}): StableRecord {
  return {
    headRevision: REVISION,
    exits: EXITS,
    lambdaIndex: LAMBDA,
    certificate: CERTIFICATE,
    evidence: aLookedAttempt(1, LAMBDA),
    detector: { budget: 0.01, ...createDetector(0.01) },
    off: null,
    savingBefore: null,
    raiseBlocked: false,
    day: { sinceMs: START_MS, audits: 0 },
    ...fields,
  };
}

/** Stable whose certificate was voided. */
export function aVoidedStable(fields: Partial<StableRecord> = {}): StableRecord {
  return aStable({
    lambdaIndex: null,
    certificate: null,
    detector: null,
    off: 'Alarm',
    evidence: anAttempt(),
    ...fields,
  });
}

/** Fresh heads that shadow. */
export function aCandidate(fields: Partial<CandidateRecord> = {}): CandidateRecord {
  return {
    kind: 'New',
    headRevision: OTHER_REVISION,
    exits: EXITS,
    lambdaIndex: null,
    certificate: null,
    evidence: anAttempt(),
    paired: null,
    ramp: null,
    baseline: { older: NO_REQUESTS, newer: NO_REQUESTS },
    loads: [],
    crashes: 0,
    first: null,
    ...fields,
  };
}

/** Fresh heads, certified at LAMBDA, with a quarter of the traffic. */
export function aRampingCandidate(fields: Partial<CandidateRecord> = {}): CandidateRecord {
  return aCandidate({
    lambdaIndex: LAMBDA,
    certificate: CERTIFICATE,
    evidence: aLookedAttempt(1, LAMBDA),
    ramp: startStep(0.25, 0.01, START_MS),
    ...fields,
  });
}

/** A ledger of `aBackbone`, collecting unless said otherwise. */
export function aLedger(fields: Partial<Ledger> = {}): Ledger {
  return {
    ...emptyLedger(),
    backboneKey: BACKBONE_KEY,
    stage: 'Collecting',
    stageSinceMs: START_MS,
    ...fields,
  };
}

/** A ledger whose stable serves. */
export function aServingLedger(fields: Partial<Ledger> = {}): Ledger {
  return aLedger({
    stage: 'Serving',
    stable: aStable(),
    exitsEnabled: true,
    traffic: { rowsPerSecond: 100, auditRate: 0.02 },
    ...fields,
  });
}

export const BOTH = [aRevision(), aRevision({ headRevision: OTHER_REVISION })];

/** A pod that holds both revisions, verified, and runs what was published. */
export function aLoadedPod(fields: Partial<LifecycleInput['pods'][number]> = {}) {
  const { podUid = 'pod-a', bootId = 'boot-1' } = fields;
  return aPod({ acknowledgement: anAcknowledgement(BOTH, { podUid, bootId }), ...fields });
}

/** A tick with both revisions in the store and one pod that holds them. */
export function aLoadedInput(fields: Partial<LifecycleInput> = {}): LifecycleInput {
  return anInput({ revisions: BOTH, pods: [aLoadedPod()], ...fields });
}

/** Decides, and checks that the ledger survives its own text. */
export function step(ledger: Ledger, fields: Partial<LifecycleInput> = {}): LifecyclePlan {
  const plan = decide(ledger, aLoadedInput(fields));
  const parsed = parseLedger(serializeLedger(plan.ledger));
  if (!parsed.ok) throw new Error(parsed.message);
  return plan;
}

/** Reasons of a plan's decisions. */
export function reasonsOf(plan: LifecyclePlan): readonly string[] {
  return plan.decisions.map(({ reason }) => reason);
}
