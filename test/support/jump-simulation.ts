// A fleet whose heads suddenly disagree far above the budget, from the jump to the last pod that lets nothing leave: windows
// as servers close them, asked for as the operator asks, decided by the real `decide`, pushed as measured.
import type { EvidenceWindow } from '../../crds/wire/evidence.ts';
import { decide } from '../../operator/lifecycle/decide.ts';
import type { Ledger } from '../../operator/lifecycle/ledger.ts';
import { aGrid, anEvidenceWindow, servedRows, START_MS } from './builders.ts';
import {
  aLoadedInput,
  aLoadedPod,
  aLookedAttempt,
  aServingLedger,
  aStable,
  LAMBDA,
} from './ledger-builders.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

export interface JumpDelay {
  /** From the jump to the decision that exits go off. */
  readonly verdictSeconds: number;
  /** From the jump to the last pod's acknowledgement. */
  readonly offSeconds: number;
  /** From the decision to the last pod's acknowledgement. */
  readonly propagationSeconds: number;
}

const PODS = 5;
/** At 2 % of 100 rows a second. */
const AUDITS_PER_SECOND = 2;
const AUDIT_RATE = 0.02;
/** Servers close a window every 10 s; the operator asks each pod every 30 s, give or take a tenth. */
const WINDOW_MS = 10_000;
const POLL_MS = 30_000;
const BUDGET = 0.01;
const CALM = 0.6 * BUDGET;
/** Long enough that the detector has forgotten where it began. */
const WARM_UP_MS = 600_000;
/** Ledger and policy are written first. Pushes were measured at 73 ms, the slowest of a hundred at 174. */
const WRITES_MS = [20, 200] as const;
const PUSH_MS = [50, 180] as const;
/** One push in a hundred finds nobody and is repeated a second later. */
const MISSED_PUSHES = 0.01;
const RETRY_MS = 1_000;
const HOUR_MS = 3_600_000;

interface JumpingPod {
  readonly podUid: string;
  readonly phaseMs: number;
  dueMs: number;
  seq: number;
}

/** One fleet at `risk` budgets from the jump on, at 0.6 before; null: a false alarm came first. */
function simulateJump(seed: readonly number[], risk: number): JumpDelay | null {
  const random = seededRandom(seed);
  const jumpMs = WARM_UP_MS + POLL_MS * random.uniform();
  const pods = Array.from({ length: PODS }, (_, i): JumpingPod => ({
    podUid: `pod-${String(i)}`,
    phaseMs: WINDOW_MS * random.uniform(),
    dueMs: POLL_MS * random.uniform(),
    seq: 0,
  }));
  // No look is left: only the detector can switch off.
  let ledger: Ledger = aServingLedger({ stable: aStable({ evidence: aLookedAttempt(3, LAMBDA) }) });
  for (;;) {
    const pod = pods.reduce((first, other) => (other.dueMs < first.dueMs ? other : first));
    const nowMs = pod.dueMs;
    const windows = pullWindows(pod, nowMs, { random, jumpMs, risk });
    pod.dueMs += POLL_MS * (0.9 + 0.2 * random.uniform());
    const plan = decide(
      ledger,
      aLoadedInput({
        nowMs: START_MS + nowMs,
        pods: pods.map(({ podUid }) =>
          aLoadedPod({ podUid, windows: podUid === pod.podUid ? windows : [] }),
        ),
      }),
    );
    ledger = plan.ledger;
    if (nowMs > jumpMs + HOUR_MS) throw new Error('no alarm within an hour of the jump');
    if (plan.policy?.exitsEnabled !== false) continue;
    if (nowMs < jumpMs) return null;
    const writtenMs = between(random, WRITES_MS);
    const pushes = pods.map(() => between(random, PUSH_MS) + missedMs(random));
    const propagationSeconds = (writtenMs + Math.max(...pushes)) / 1_000;
    const verdictSeconds = (nowMs - jumpMs) / 1_000;
    return { verdictSeconds, propagationSeconds, offSeconds: verdictSeconds + propagationSeconds };
  }
}

const between = (random: SeededRandom, [low, high]: readonly [number, number]): number =>
  low + (high - low) * random.uniform();

function missedMs(random: SeededRandom): number {
  return random.chance(MISSED_PUSHES) ? RETRY_MS + between(random, PUSH_MS) : 0;
}

interface Jump {
  readonly random: SeededRandom;
  readonly jumpMs: number;
  readonly risk: number;
}

/** Windows that the pod has closed since it was asked last. */
function pullWindows(pod: JumpingPod, nowMs: number, jump: Jump): EvidenceWindow[] {
  const windows: EvidenceWindow[] = [];
  for (let endMs = pod.phaseMs + (pod.seq + 1) * WINDOW_MS; endMs <= nowMs; endMs += WINDOW_MS) {
    pod.seq += 1;
    const { audits, disagreements } = drawWindow(endMs, jump);
    const rows = Math.round((AUDITS_PER_SECOND / AUDIT_RATE / PODS) * (WINDOW_MS / 1_000));
    const early = Math.round(0.6 * rows);
    windows.push({
      ...anEvidenceWindow({ podUid: pod.podUid, audits, disagreements }),
      ...{ seq: pod.seq, lambdaIndex: LAMBDA, exitsEnabled: true, auditRate: AUDIT_RATE },
      grid: aGrid(audits, disagreements),
      served: servedRows(2, 0, { rows: [early, 0, rows - early] }),
    });
  }
  return windows;
}

function drawWindow(
  endMs: number,
  { random, jumpMs, risk }: Jump,
): { readonly audits: number; readonly disagreements: number } {
  const afterMs = Math.min(WINDOW_MS, Math.max(0, endMs - jumpMs));
  const perMs = AUDITS_PER_SECOND / PODS / 1_000;
  const calm = random.poisson(perMs * (WINDOW_MS - afterMs));
  const bad = random.poisson(perMs * afterMs);
  return {
    audits: calm + bad,
    disagreements: random.binomial(calm, CALM) + random.binomial(bad, risk * BUDGET),
  };
}

export interface JumpSummary {
  readonly runs: number;
  readonly meanSeconds: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  readonly worstPropagationSeconds: number;
}

/** That many fleets, without those of a false alarm: an hour of saving, and no jump to be seen. */
export function simulateJumps(seed: number, runs: number, risk: number): readonly JumpDelay[] {
  return Array.from({ length: runs }, (_, i) => simulateJump([seed, i], risk)).flatMap(
    (delay) => delay ?? [],
  );
}

/** Mean and quantiles of the time until every pod has its exits off. */
export function summarizeJumps(delays: readonly JumpDelay[]): JumpSummary {
  const sorted = delays.map(({ offSeconds }) => offSeconds).sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.ceil(q * sorted.length) - 1] ?? NaN;
  return {
    runs: delays.length,
    meanSeconds: sorted.reduce((sum, seconds) => sum + seconds, 0) / delays.length,
    p50Seconds: at(0.5),
    p99Seconds: at(0.99),
    worstPropagationSeconds: Math.max(...delays.map((delay) => delay.propagationSeconds)),
  };
}
