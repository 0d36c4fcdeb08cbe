// Pods that answer rows of exits.md 7.2 as servers do, and a shell around `decide`: what a cluster would show of a lifecycle.
import { decideRow } from '../../server/core/decide.ts';
import { createEvidenceGrid, type EvidenceCounter } from '../../server/core/evidence.ts';
import { createLatencyCounter } from '../../server/core/latency-digest.ts';
import type { EvidenceWindow, PairedEvidence, Track } from '../../crds/wire/evidence.ts';
import {
  parsePolicy,
  serializePolicy,
  type Policy,
  type PolicyTrack,
} from '../../crds/wire/policy.ts';
import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { decide } from '../../operator/lifecycle/decide.ts';
import {
  emptyLedger,
  parseLedger,
  serializeLedger,
  watermarks,
  type Ledger,
} from '../../operator/lifecycle/ledger.ts';
import type {
  BackboneFacts,
  Decision,
  HeadRevisionFacts,
  LifecycleInput,
  LifecyclePlan,
  PodReport,
  PolicyContent,
  TrainingReport,
} from '../../operator/lifecycle/types.ts';
import { inPolicyVersion } from '../../operator/plan/policy-version.ts';
import {
  aBackbone,
  aDigest,
  anAcknowledgement,
  anExit,
  aRevision,
  aService,
  BACKBONE_DIGEST,
} from './builders.ts';
import {
  calibratedScores,
  drawRows,
  EXIT_COUNT,
  pathCost,
  type ScoreOf,
  type SimulatedRows,
} from './exit-simulation.ts';
import { fakeClock } from './fake-clock.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

export const EXITS = ['a', 'b', 'c', 'd'];
const BACKBONE_MS = 10;

/** How rows differ from those that the first heads were trained on. */
export interface Drift {
  /** Added to every raw logit: heads are surer than they may be. Training on such rows corrects it. */
  readonly shift: number;
  /** Share of rows on which every head is wrong, whatever its score. Nothing corrects it. */
  readonly noise: number;
}

export interface FleetOptions {
  readonly seed: number;
  readonly pods?: number;
  readonly rowsPerTick?: number;
  readonly tickMs?: number;
  readonly settings?: Partial<ServiceSettings>;
  /** Stores and reads the ledger as text at every tick. */
  readonly restartsEachTick?: boolean;
  /** Pods answer with every window they have, twice and in random order. */
  readonly repeatsWindows?: boolean;
  /** Digest of the companion that the first exit is. */
  readonly companion?: string;
}

/** One pod: its windows, and what it has in force. */
interface SimulatedPod {
  readonly podUid: string;
  bootId: string;
  policy: Policy | null;
  windows: EvidenceWindow[];
  seq: number;
  seen: number;
  isSilent: boolean;
}

export interface Fleet {
  readonly ledger: Ledger;
  readonly decisions: readonly Decision[];
  readonly policies: readonly Policy[];
  readonly pods: readonly SimulatedPod[];
  drift: Drift;
  /** Null: the first exit is a cut, as the others. */
  companion: string | null;
  /** Header with which the first exit compares frames; null: it sees rows alone. */
  sourceHeader: string | null;
  /** Audited rows, and disagreements of rows that left early, since the fleet began. */
  readonly audits: number;
  tick(): LifecyclePlan;
  /** Ticks until a decision with this reason comes; throws after `limit` ticks. */
  until(reason: Decision['reason'], limit: number): Decision;
}

export function simulateFleet(options: FleetOptions): Fleet {
  const { seed, rowsPerTick = 600, tickMs = 30_000 } = options;
  const settings = aService(options.settings);
  const random = seededRandom([seed, 1]);
  const shuffling = seededRandom([seed, 2]);
  const clock = fakeClock();
  const scores = new Map<string, ScoreOf>();
  const revisions: HeadRevisionFacts[] = [];
  const pods = Array.from({ length: options.pods ?? 1 }, (_, i): SimulatedPod => ({
    podUid: `pod-${String(i)}`,
    bootId: 'boot-1',
    policy: null,
    windows: [],
    seq: 0,
    seen: 0,
    isSilent: false,
  }));
  const state = {
    ledger: emptyLedger(),
    decisions: [] as Decision[],
    policies: [] as Policy[],
    training: { kind: 'Idle' } as TrainingReport,
    audits: 0,
  };

  function train(attempt: number, drift: Drift): TrainingReport {
    const rows = driftRows(drawRows(seededRandom([seed, 3, attempt]), 2_000), drift, random);
    const revision = aRevision({
      headRevision: aDigest(0xa00 + attempt),
      exits: EXITS,
      pathCost: Array.from({ length: EXIT_COUNT + 1 }, (_, exit) => pathCost(exit)),
    });
    scores.set(revision.headRevision, calibratedScores(rows));
    revisions.push(revision);
    return { kind: 'Trained', attempt, revision };
  }

  function report(pod: SimulatedPod): PodReport {
    const { podUid, bootId, policy } = pod;
    const named = [policy?.stable, policy?.candidate].flatMap((track) =>
      revisions.filter(({ headRevision }) => headRevision === track?.headRevision),
    );
    const { epoch, revision, exitsEnabled } = policy ?? NO_POLICY;
    const all = options.repeatsWindows ? shuffled([...pod.windows, ...pod.windows]) : null;
    const after = watermarks(state.ledger).find(
      (mark) => mark.podUid === podUid && mark.bootId === bootId,
    );
    const samples = Math.min(25_000, pod.seen);
    return {
      podUid,
      bootId,
      ready: !pod.isSilent,
      acknowledgement: pod.isSilent
        ? null
        : anAcknowledgement(named, { podUid, bootId, epoch, revision }),
      windows: pod.isSilent
        ? []
        : (all ?? pod.windows.filter(({ seq }) => seq > (after?.seq ?? 0))),
      droppedSeqs: [],
      oldestSeq: 1,
      samples: { long: samples, recent: samples, seen: pod.seen },
      exitsEnabled,
      costs: null,
    };
  }

  function shuffled<T>(values: T[]): T[] {
    const order = Uint32Array.from(values, (_, i) => i);
    shuffling.shuffle(order);
    return Array.from(order, (i) => values[i]!);
  }

  /** What names sources needs the version that says it. */
  function told(content: PolicyContent): PolicyContent {
    return fleet.sourceHeader === null ? content : inPolicyVersion(content, 5, 'Info');
  }

  function publish(plan: LifecyclePlan): void {
    const last = state.policies.at(-1);
    const revision = last?.revision ?? 0;
    const next = { ...told(plan.policy!), epoch: 1, revision };
    if (last !== undefined && serializePolicy(next) === serializePolicy(last)) return;
    // What the servers would refuse is a fault of the lifecycle.
    const parsed = parsePolicy(serializePolicy({ ...next, revision: revision + 1 }));
    if (!parsed.ok) throw new Error(parsed.message);
    state.policies.push(parsed.value);
    // Recorders start again when exits go off (exits.md 3).
    const isSwitchOff = last?.exitsEnabled === true && !parsed.value.exitsEnabled;
    for (const pod of pods.filter(({ isSilent }) => !isSilent)) {
      pod.policy = parsed.value;
      if (isSwitchOff) pod.seen = 0;
    }
  }

  function serve(drift: Drift): void {
    const rows = driftRows(drawRows(random, rowsPerTick), drift, random);
    const draws = Array.from({ length: rowsPerTick }, () => [random.uniform(), random.uniform()]);
    pods.forEach((pod, p) => {
      const own = draws.flatMap((_, row) => (row % pods.length === p ? [row] : []));
      const windows = answerRows(pod, { rows, draws, own, scores, tickMs });
      for (const window of windows) pod.windows.push({ ...window, seq: ++pod.seq });
      const audited = windows[0]?.auditsChosen ?? 0;
      pod.seen += audited;
      state.audits += audited;
    });
  }

  const fleet = {
    drift: { shift: 0, noise: 0 },
    companion: options.companion ?? null,
    sourceHeader: null as string | null,
    get ledger() {
      return state.ledger;
    },
    get audits() {
      return state.audits;
    },
    decisions: state.decisions,
    policies: state.policies,
    pods,
    tick: (): LifecyclePlan => {
      clock.advance(tickMs);
      serve(fleet.drift);
      const input: LifecycleInput = {
        nowMs: clock.nowMs(),
        settings,
        backbone: aBackbone({ exits: exitsWith(fleet) }),
        pods: pods.map(report),
        silentPods: 0,
        request: null,
        pin: null,
        training: state.training,
        revisions,
        collectRows: 2_000,
        thinAudits: false,
        auditsOff: false,
        published: state.policies.at(-1) ?? null,
      };
      const plan = decide(state.ledger, input);
      state.ledger = options.restartsEachTick ? restored(plan.ledger) : plan.ledger;
      state.decisions.push(...plan.decisions);
      publish(plan);
      if (plan.training !== null && isNew(state.training, plan.training.attempt)) {
        state.training = train(plan.training.attempt, fleet.drift);
      }
      return plan;
    },
    until: (reason: Decision['reason'], limit: number): Decision => {
      for (let i = 0; i < limit; i++) {
        const found = fleet.tick().decisions.find((decision) => decision.reason === reason);
        if (found !== undefined) return found;
      }
      const said = state.decisions.map((decision) => `${decision.reason}: ${decision.message}`);
      throw new Error(`no ${reason} within ${String(limit)} ticks; so far\n${said.join('\n')}`);
    },
  };
  return fleet;
}

function exitsWith({
  companion,
  sourceHeader,
}: Pick<Fleet, 'companion' | 'sourceHeader'>): BackboneFacts['exits'] {
  const exits = EXITS.map((name) => anExit(name));
  if (sourceHeader !== null) {
    return exits.map((exit, i) => (i === 0 ? { ...exit, sourceHeader } : exit));
  }
  if (companion === null) return exits;
  const [first = '', ...others] = EXITS;
  const share = { macsShare: 0.1, msShare: 0.1 };
  return [
    { name: first, modelDigest: companion, mode: 'Active', ...share },
    ...others.map((name) => anExit(name)),
  ];
}

function isNew(report: TrainingReport, attempt: number): boolean {
  return !('attempt' in report) || report.attempt !== attempt;
}

function restored(ledger: Ledger): Ledger {
  const parsed = parseLedger(serializeLedger(ledger));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export function driftRows(
  rows: SimulatedRows,
  { shift, noise }: Drift,
  random: SeededRandom,
): SimulatedRows {
  for (let row = 0; row < rows.count; row++) {
    const isWrong = random.chance(noise);
    for (let exit = 0; exit < EXIT_COUNT; exit++) {
      const place = row * EXIT_COUNT + exit;
      rows.logits[place]! += shift;
      if (isWrong) rows.agrees[place] = 0;
    }
  }
  return rows;
}

interface Answering {
  readonly rows: SimulatedRows;
  /** Per row: the draws of audit and track. */
  readonly draws: readonly (readonly number[])[];
  readonly own: readonly number[];
  readonly scores: ReadonlyMap<string, ScoreOf>;
  readonly tickMs: number;
  /** Factor on the time of every row of this pod. @defaultValue 1 */
  readonly slowness?: number;
}

interface OpenTrack {
  readonly track: Track;
  readonly named: PolicyTrack | null;
  readonly grid: EvidenceCounter;
  readonly rows: number[];
  readonly latency: ReturnType<typeof createLatencyCounter>[];
  readonly slowness: number;
  readonly place: (row: number) => number;
  readonly scoresOf: (row: number) => number[];
}

/** What a server does before its first policy. */
const NO_POLICY = {
  epoch: 0,
  revision: 0,
  exitsEnabled: false,
  auditRate: 0,
  stable: null,
  candidate: null,
};
type InForce = Pick<Policy, keyof typeof NO_POLICY>;

/** The windows of one pod over one tick, as server/evidence writes them. */
export function answerRows(
  pod: Pick<SimulatedPod, 'podUid' | 'bootId' | 'policy'>,
  answering: Answering,
): Omit<EvidenceWindow, 'seq'>[] {
  const { rows, draws, own } = answering;
  const policy: InForce = pod.policy ?? NO_POLICY;
  const tracks = [
    openTrack('stable', policy, answering),
    openTrack('candidate', policy, answering),
  ];
  const [stable, candidate] = tracks as [OpenTrack, OpenTrack];
  const share = policy.candidate?.share ?? 0;
  const { auditRate } = policy;
  const paired = createPaired(stable.named, candidate.named);
  let audits = 0;
  for (const row of own) {
    const [auditDraw, trackDraw] = draws[row]!;
    countAnswer(trackDraw! < share ? candidate : stable, row, trackDraw!);
    if (auditDraw! >= auditRate) continue;
    audits++;
    const agrees = rows.agrees.subarray(row * EXIT_COUNT, (row + 1) * EXIT_COUNT);
    for (const { named, grid, scoresOf } of tracks) {
      if (named !== null) grid.addRow(scoresOf(row), agrees);
    }
    addPair(paired, [stable.place(row), candidate.place(row)], agrees);
  }
  const hasCandidate = candidate.named !== null;
  return (hasCandidate ? [stable, candidate] : [stable]).map((track) =>
    toWindow(track, pod, policy, { audits, share, paired, seconds: answering.tickMs / 1_000 }),
  );
}

/** Time as the path costs it, give or take a tenth. */
function countAnswer(
  { named, place, rows, latency, slowness }: OpenTrack,
  row: number,
  draw: number,
): void {
  const left = place(row);
  const ms = named === null ? BACKBONE_MS : BACKBONE_MS * pathCost(left);
  rows[left]! += 1;
  latency[left]!.add(1_000 * ms * slowness * (0.9 + 0.2 * draw));
}

function openTrack(track: Track, policy: InForce, answering: Answering): OpenTrack {
  const { rows, scores } = answering;
  const named = policy[track];
  const exits = named === null ? 0 : EXIT_COUNT;
  const scoreOf = scores.get(named?.headRevision ?? '');
  const scoresOf = (row: number): number[] =>
    EXITS.map((_, e) => scoreOf?.(rows.logits[row * EXIT_COUNT + e]!, e) ?? NaN);
  const active = policy.exitsEnabled ? (named?.activeExits.length ?? 0) : 0;
  return {
    track,
    named,
    grid: createEvidenceGrid(exits),
    rows: new Array<number>(exits + 1).fill(0),
    latency: Array.from({ length: exits + 1 }, createLatencyCounter),
    slowness: answering.slowness ?? 1,
    place: (row) => {
      const exit = decideRow(scoresOf(row), named?.lambdaIndex ?? null, active);
      return exit === -1 ? exits : exit;
    },
    scoresOf,
  };
}

function createPaired(
  stable: PolicyTrack | null,
  candidate: PolicyTrack | null,
):
  | (PairedEvidence & { onlyStableWrong: number; onlyCandidateWrong: number; joint: number[][] })
  | null {
  const stableLambdaIndex = stable?.lambdaIndex ?? null;
  const candidateLambdaIndex = candidate?.lambdaIndex ?? null;
  if (stable === null || stableLambdaIndex === null || candidateLambdaIndex === null) return null;
  return {
    stableHeadRevision: stable.headRevision,
    stableExits: EXITS,
    stableLambdaIndex,
    candidateLambdaIndex,
    joint: Array.from({ length: EXIT_COUNT + 1 }, () => new Array<number>(EXIT_COUNT + 1).fill(0)),
    onlyStableWrong: 0,
    onlyCandidateWrong: 0,
  };
}

function addPair(
  paired: ReturnType<typeof createPaired>,
  [s, c]: readonly [number, number],
  agrees: Uint8Array,
): void {
  if (paired === null) return;
  paired.joint[s]![c]! += 1;
  const isWrong = (place: number): boolean => place < EXIT_COUNT && agrees[place] === 0;
  if (isWrong(s) && !isWrong(c)) paired.onlyStableWrong++;
  if (isWrong(c) && !isWrong(s)) paired.onlyCandidateWrong++;
}

function toWindow(
  { track, named, grid, rows, latency }: OpenTrack,
  { podUid, bootId }: Pick<SimulatedPod, 'podUid' | 'bootId'>,
  policy: InForce,
  about: {
    readonly audits: number;
    readonly share: number;
    readonly paired: PairedEvidence | null;
    readonly seconds: number;
  },
): Omit<EvidenceWindow, 'seq'> {
  const { audits, share, paired, seconds } = about;
  const { epoch, revision: policyRevision, exitsEnabled, auditRate } = policy;
  const exits = named === null ? [] : EXITS;
  const isCandidate = track === 'candidate';
  return {
    schemaVersion: 1,
    podUid,
    bootId,
    backboneDigest: BACKBONE_DIGEST,
    headRevision: named?.headRevision ?? null,
    track: named === null ? null : track,
    epoch,
    policyRevision,
    lambdaIndex: named?.lambdaIndex ?? null,
    share: isCandidate ? share : 1 - share,
    exitsEnabled,
    exits,
    durationSeconds: seconds,
    grid: grid.snapshot(),
    strata: [],
    paired: isCandidate ? paired : null,
    served: {
      rows,
      optedOut: 0,
      forced: 0,
      errors: 0,
      numericFallbacks: 0,
      latency: latency.map((counter) => counter.snapshot()),
      scoreBins: exits.map(() => new Array<number>(16).fill(0)),
    },
    compute: null,
    auditsChosen: audits,
    auditsLost: 0,
    auditRate,
    switchedOff: [],
  };
}
