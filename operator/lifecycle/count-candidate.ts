// Audited rows and requests of the candidate: its evidence, its pairing with stable, its step of the ramp, its crashes.
import { savingLimits, savingLook, savingMoments } from '../stats/paired.ts';
import { auditsByLoss } from '../stats/window-losses.ts';
import { addRows } from './attempts.ts';
import { podTicks, updateBaseline, wholeBaseline } from './baseline.ts';
import { updateStep } from './checks.ts';
import type { CandidateRecord, Ledger, PairedRecord, StableRecord } from './ledger.ts';
import { evidenceWindows, factsOf, holds, toTickRows, type Tick } from './tick.ts';

/** Adds a tick to all that is known of the candidate. */
export function countCandidate(ledger: Ledger, tick: Tick): Ledger {
  const { candidate, stable } = ledger;
  if (candidate === null) return ledger;
  const windows = evidenceWindows(tick, candidate.headRevision);
  const { evidence } = candidate;
  const rows = toTickRows(windows, candidate.exits.length, evidence ?? {});
  return {
    ...ledger,
    candidate: {
      ...candidate,
      evidence: evidence === null ? null : addRows(evidence, rows),
      paired: stable === null ? null : nextPaired(candidate, stable, tick),
      ramp: nextRamp(candidate, tick),
      baseline: updateBaseline(candidate, tick),
      ...nextLoads(candidate, tick),
    },
  };
}

function nextRamp(candidate: CandidateRecord, tick: Tick): CandidateRecord['ramp'] {
  const { ramp, lambdaIndex, certificate } = candidate;
  if (ramp === null || lambdaIndex === null || certificate === null) return ramp;
  const windows = evidenceWindows(tick, candidate.headRevision);
  return updateStep(
    ramp,
    {
      pods: podTicks(candidate, tick),
      baseline: wholeBaseline(candidate.baseline),
      audits: auditsByLoss(windows, lambdaIndex),
      dispersion: certificate.dispersion,
      agreement: certificate.agreement ?? 'Strict',
    },
    tick.input.settings.checks,
  );
}

/** Joint table and discordant counts at the lambdas in force; they start anew when a lambda moves. */
function nextPaired(
  candidate: CandidateRecord,
  stable: StableRecord,
  tick: Tick,
): PairedRecord | null {
  const { lambdaIndex: candidateLambdaIndex } = candidate;
  const { lambdaIndex: stableLambdaIndex } = stable;
  if (candidateLambdaIndex === null || stableLambdaIndex === null) return null;
  const start = startPaired(candidate, stable, { stableLambdaIndex, candidateLambdaIndex });
  const counted = tick.windows.reduce<PairedRecord>((sum, { headRevision, paired }) => {
    const isOurs =
      paired !== null &&
      headRevision === candidate.headRevision &&
      paired.stableHeadRevision === stable.headRevision &&
      paired.stableLambdaIndex === stableLambdaIndex &&
      paired.candidateLambdaIndex === candidateLambdaIndex;
    return isOurs ? addPaired(sum, paired) : sum;
  }, start);
  return lookAtSaving(counted, candidate, tick, stable.headRevision);
}

function startPaired(
  { paired, exits }: CandidateRecord,
  stable: StableRecord,
  at: Pick<PairedRecord, 'stableLambdaIndex' | 'candidateLambdaIndex'>,
): PairedRecord {
  const isSame =
    paired?.stableLambdaIndex === at.stableLambdaIndex &&
    paired.candidateLambdaIndex === at.candidateLambdaIndex;
  if (isSame) return paired;
  const joint = Array.from({ length: stable.exits.length + 1 }, () =>
    new Array<number>(exits.length + 1).fill(0),
  );
  return { ...at, joint, onlyStableWrong: 0, onlyCandidateWrong: 0, saving: null };
}

type PairedCounts = Pick<PairedRecord, 'joint' | 'onlyStableWrong' | 'onlyCandidateWrong'>;

function addPaired(sum: PairedRecord, more: PairedCounts): PairedRecord {
  return {
    ...sum,
    joint: sum.joint.map((row, s) => row.map((rows, c) => rows + (more.joint[s]?.[c] ?? 0))),
    onlyStableWrong: sum.onlyStableWrong + more.onlyStableWrong,
    onlyCandidateWrong: sum.onlyCandidateWrong + more.onlyCandidateWrong,
  };
}

/** Takes the look at the saving that is due; between looks the verdict stands. */
function lookAtSaving(
  paired: PairedRecord,
  candidate: CandidateRecord,
  tick: Tick,
  stableRevision: string,
): PairedRecord {
  const stableFacts = factsOf(tick, stableRevision);
  const candidateFacts = factsOf(tick, candidate.headRevision);
  if (stableFacts === null || candidateFacts === null) return paired;
  const costs = { stable: stableFacts.pathCost, candidate: candidateFacts.pathCost };
  const moments = savingMoments(paired.joint, costs);
  const look = savingLook(moments.rows);
  if (look <= (paired.saving?.look ?? -1)) return paired;
  return { ...paired, saving: savingLimits(moments, look) };
}

const CRASH_MS = 120_000;
/** Two crashes suffice, so a part of a large fleet does, and the ledger stays small. */
const MAX_LOADS = 200;

/** A pod that comes back as another boot within two minutes of loading the candidate counts as a crash. */
function nextLoads(
  { loads, crashes, headRevision }: CandidateRecord,
  tick: Tick,
): Pick<CandidateRecord, 'loads' | 'crashes'> {
  const young = loads.filter(({ atMs }) => tick.nowMs - atMs < CRASH_MS);
  const crashed = young.filter(({ podUid, bootId }) =>
    tick.input.pods.some((pod) => pod.podUid === podUid && pod.bootId !== bootId),
  );
  const kept = loads.filter((load) => !crashed.includes(load));
  const isKnown = (pod: { podUid: string; bootId: string }): boolean =>
    kept.some(({ podUid, bootId }) => podUid === pod.podUid && bootId === pod.bootId);
  const loaded = tick.input.pods.filter((pod) => !isKnown(pod) && holds(pod, headRevision, tick));
  const added = loaded.map(({ podUid, bootId }) => ({ podUid, bootId, atMs: tick.nowMs }));
  return { loads: [...kept, ...added].slice(0, MAX_LOADS), crashes: crashes + crashed.length };
}
