import { setTimeout as sleep } from 'node:timers/promises';
import { WHOLE_LOSS } from '../../crds/wire/agreement.ts';
import type { KnownAnswer } from '../../crds/wire/acknowledgement.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import type {
  AuditedRow,
  BatchOutcome,
  BatchRequest,
  EngineClient,
  EnginePlan,
  EngineReport,
  EngineStatus,
  PlannedTrack,
  RowAnswer,
  SampledRow,
  StatusListener,
} from '../../server/engine/engine-client.ts';
import { RowFlag } from '../../server/engine/engine-client.ts';
import type { HostEnd } from '../../server/engine/host-end.ts';
import { EngineError } from '../../server/engine/engine-error.ts';
import { decideRow } from '../../server/core/decide.ts';

/**
 * An engine whose answers are written in its rows, so that a test says in the input what must happen:
 * [backbone class, score of exit 0, score of exit 1, code]. An early answer holds the temperature of its head at the
 * class (which head answered can be read off the numbers), the backbone's holds 10.
 */
export const RowCode = {
  normal: 0,
  /** Heads name the next class instead of the backbone's. */
  headsDisagree: 1,
  /** The first head's score is NaN. */
  headNotFinite: 2,
  backboneNotFinite: 3,
  /** The host dies with this row. */
  deadly: 4,
  /** The engine reports an error for the batch, and lives. */
  failing: 5,
} as const;

export const FAKE_DIGEST = `sha256:${'b'.repeat(64)}`;
export const FAKE_CLASSES = 3;
const ROW_VALUES = 4;
const SIGKILLED: HostEnd = { cause: 'signal', detail: 'was ended by SIGKILL' };

export const FAKE_COSTS: CostTable = {
  batchSizes: [1, 2, 4, 8],
  cuts: ['cut_a', 'cut_b'],
  plainMs: [1, 2, 4, 8],
  segmentMs: [1, 2, 4, 8].map((ms) => [ms * 0.3, ms * 0.3, ms * 0.4]),
  headMs: [1, 2, 4, 8].map(() => [0.01, 0.01]),
  compactMs: [1, 2, 4, 8].map(() => [0.01, 0.01]),
};

export function fakeReport(outputs = ['scores']): EngineReport {
  const cut = (tensor: string, msShare: number) => ({
    tensor,
    macsShare: msShare,
    msShare,
    channels: 2,
    height: 1,
    width: 1,
    pool: 1 as const,
  });
  return {
    model: {
      digest: FAKE_DIGEST,
      format: 'ONNX',
      sizeBytes: 1000,
      macs: 1_000_000,
      inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, ROW_VALUES] }],
      outputs: outputs.map((name) => ({ name, datatype: 'FP32', shape: [-1, FAKE_CLASSES] })),
      outputName: 'scores',
      outputProblem: null,
      outputKind: 'Logits',
      classCount: FAKE_CLASSES,
      cuts: [cut('cut_a', 0.3), cut('cut_b', 0.6)],
      rejectedCuts: [{ tensor: 'cut_x', reason: 'its batch axis is not first' }],
    },
    engine: { kind: 'ONNX', device: 'CPU', threads: 2, versions: { fake: '1' }, skipped: [] },
    headCost: { fixedMs: 0.01, msPerMillionMacs: 0.1 },
    costs: {
      ...FAKE_COSTS,
      cuts: [],
      segmentMs: FAKE_COSTS.plainMs.map((ms) => [ms]),
      headMs: [[], [], [], []],
      compactMs: [[], [], [], []],
    },
  };
}

/** A backbone with several class outputs of which none is named. */
export function ambiguousReport(): EngineReport {
  const report = fakeReport(['scores', 'topics']);
  const message = 'Several class outputs (scores, topics) and none is named: set outputName.';
  return {
    ...report,
    model: {
      ...report.model,
      outputName: null,
      outputKind: null,
      outputProblem: { code: 'OutputAmbiguous', message },
      classCount: 0,
      cuts: [],
    },
  };
}

export interface FakeEngine extends EngineClient {
  readonly batches: BatchRequest[];
  readonly plans: ReadonlyMap<number, EnginePlan>;
  readonly released: number[];
  latencyMs: number;
  /** Of `prepare`. */
  prepareMs: number;
  /** The next `prepare` rejects with it. */
  prepareError: EngineError | null;
  /** `start` rejects with it. */
  startError: EngineError | null;
  /** While true, batches stay in flight. */
  isHeld: boolean;
  /** Batches of so many rows stay in flight once rows have left early. */
  heldRows: number | null;
  /** So many more times, preparing heads ends the host. */
  deadlyPrepares: number;
  /** Milliseconds between death and life again. */
  restartMs: number;
  slotCount: number;
  /** Times that the backbone's known answer was asked for. */
  checks: number;
  /** The next known answer is wrong, and the host dies for it. */
  isWrong: boolean;
  /** The host dies now, with everything in flight. */
  kill(): void;
}

export function createFakeEngine(report: EngineReport = fakeReport()): FakeEngine {
  const batches: BatchRequest[] = [];
  const plans = new Map<number, EnginePlan>();
  const released: number[] = [];
  const listeners: StatusListener[] = [];
  let deaths = new AbortController();
  let status: EngineStatus = 'Starting';
  let nextPlan = 1;

  function become(next: EngineStatus, end: HostEnd | null): void {
    status = next;
    for (const listener of listeners) listener(next, end);
  }

  function kill(end: HostEnd = SIGKILLED): void {
    plans.clear();
    become('Down', end);
    const ended = deaths;
    deaths = new AbortController();
    ended.abort();
    setTimeout(() => {
      if (status === 'Down') become('Up', null);
    }, engine.restartMs);
  }

  async function pause(isHeld: () => boolean): Promise<void> {
    const { signal } = deaths;
    const startedMs = performance.now();
    while (isHeld() || performance.now() - startedMs < engine.latencyMs) {
      if (signal.aborted) break;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (signal.aborted) throw new EngineError('EngineDown', 'the engine process ended');
  }

  const engine: FakeEngine = {
    batches,
    plans,
    released,
    latencyMs: 0,
    prepareMs: 0,
    prepareError: null,
    startError: null,
    isHeld: false,
    heldRows: null,
    deadlyPrepares: 0,
    restartMs: 10,
    slotCount: 2,
    loneSpeedup: null,
    checks: 0,
    isWrong: false,
    kill: () => {
      kill();
    },
    start: async () => {
      if (engine.startError !== null) throw engine.startError;
      await Promise.resolve();
      become('Up', null);
      return report;
    },
    prepare: async (plan) => {
      await (engine.prepareMs > 0 ? sleep(engine.prepareMs) : Promise.resolve());
      if (status !== 'Up') throw new EngineError('EngineDown', 'the engine is down');
      if (engine.deadlyPrepares > 0 && plan.tracks.length > 0) {
        engine.deadlyPrepares -= 1;
        kill();
        throw new EngineError('EngineDown', 'the engine process ended');
      }
      const { prepareError } = engine;
      engine.prepareError = null;
      if (prepareError !== null) throw prepareError;
      const planId = nextPlan;
      nextPlan += 1;
      plans.set(planId, plan);
      return { planId, costs: FAKE_COSTS, knownAnswers: plan.tracks.map(fakeKnownAnswer) };
    },
    openCompanion: ({ name }) =>
      Promise.reject(
        new EngineError('EngineFailed', `exits[${name}].model is nothing to this engine`),
      ),
    onCompanionLost: () => undefined,
    release: (planId) => {
      plans.delete(planId);
      released.push(planId);
      return Promise.resolve();
    },
    run: async (batch, onRows) => {
      batches.push({
        ...batch,
        input: batch.input.map((piece) => piece.slice()),
        flags: batch.flags.slice(),
      });
      const plan = plans.get(batch.planId);
      if (plan === undefined) throw new EngineError('PlanUnknown', `plan ${batch.planId}`);
      const rows = readRows(batch);
      if (
        rows.some((row) => row.code === RowCode.failing && (row.flags & RowFlag.BackboneOnly) === 0)
      ) {
        throw new EngineError('EngineFailed', 'a node of the graph failed');
      }
      if (rows.some((row) => row.code === RowCode.deadly)) {
        setTimeout(kill, 1);
        engine.isHeld = engine.isHeld || false;
        await new Promise((resolve) => {
          deaths.signal.addEventListener('abort', resolve);
        });
        throw new EngineError('EngineDown', 'the engine process ended');
      }
      await pause(() => engine.isHeld);
      const answers = rows.map((row, i) => answerRow(row, i, plan));
      const early = answers.filter(({ exit }) => exit >= 0);
      if (early.length > 0) onRows(early);
      await pause(() => engine.isHeld || engine.heldRows === batch.rows);
      const late = answers.filter(({ exit }) => exit === -1);
      if (late.length > 0) onRows(late);
      return outcomeOf(rows, plan);
    },
    checkBackbone: async () => {
      engine.checks += 1;
      await Promise.resolve();
      if (!engine.isWrong) return true;
      engine.isWrong = false;
      kill({ cause: 'wrong_answers', detail: 'its backbone no longer gives its known answer' });
      return false;
    },
    get slots() {
      return engine.slotCount;
    },
    get status() {
      return status;
    },
    onStatus: (listener) => {
      listeners.push(listener);
    },
    memory: () => ({ rssBytes: 1_000_000, activations: 0, plans: plans.size }),
    close: () => {
      become('Closed', null);
      deaths.abort();
      return Promise.resolve();
    },
  };
  return engine;
}

function fakeKnownAnswer({ headRevision, bundle }: PlannedTrack): KnownAnswer {
  return { headRevision, classes: bundle.heads.map((head) => [...head.knownAnswers.classes]) };
}

interface FakeRow {
  readonly backboneClass: number;
  readonly scores: readonly number[];
  readonly code: number;
  readonly flags: number;
}

function readRows(batch: BatchRequest): FakeRow[] {
  const bytes = Uint8Array.from(batch.input.flatMap((piece) => [...piece]));
  const values =
    batch.datatype === 'FP32' ? new Float32Array(bytes.buffer) : Float32Array.from(bytes);
  return Array.from({ length: batch.rows }, (_, i) => {
    const [backboneClass = 0, first = 0, second = 0, code = 0] = values.subarray(
      i * ROW_VALUES,
      (i + 1) * ROW_VALUES,
    );
    const scores = [code === RowCode.headNotFinite ? NaN : first, second];
    return { backboneClass, scores, code, flags: batch.flags[i] ?? 0 };
  });
}

function headClass(row: FakeRow): number {
  return row.code === RowCode.headsDisagree
    ? (row.backboneClass + 1) % FAKE_CLASSES
    : row.backboneClass;
}

function answerRow(row: FakeRow, index: number, plan: EnginePlan): RowAnswer {
  const name = (row.flags & RowFlag.Candidate) === 0 ? 'stable' : 'candidate';
  const track = plan.tracks.find((planned) => planned.track === name);
  const mayLeave = track !== undefined && (row.flags & RowFlag.BackboneOnly) === 0;
  const exit = mayLeave ? decideRow(row.scores, track.lambdaIndex, track.activeExits.length) : -1;
  if (exit === -1) {
    const value = row.code === RowCode.backboneNotFinite ? NaN : 10;
    return {
      row: index,
      exit: -1,
      score: NaN,
      classId: row.backboneClass,
      outputs: [oneHot(row.backboneClass, value), new Float32Array([1, 2, 3])],
    };
  }
  const classId = headClass(row);
  const temperature = track?.bundle.heads[exit]?.temperature ?? 1;
  return {
    row: index,
    exit,
    score: row.scores[exit] ?? NaN,
    classId,
    outputs: [oneHot(classId, temperature)],
  };
}

function oneHot(classId: number, value: number): Float32Array {
  const values = new Float32Array(FAKE_CLASSES);
  values[classId] = value;
  return values;
}

function lossOf(row: FakeRow): number {
  return headClass(row) === row.backboneClass ? 0 : WHOLE_LOSS;
}

function outcomeOf(rows: readonly FakeRow[], plan: EnginePlan): BatchOutcome {
  const notFinite = rows.flatMap((row, i) => (row.code === RowCode.backboneNotFinite ? [i] : []));
  const isEvidence = (i: number, flag: number) =>
    ((rows[i]?.flags ?? 0) & flag) !== 0 && !notFinite.includes(i);
  const audits = rows.flatMap((row, i): AuditedRow[] => {
    if (!isEvidence(i, RowFlag.Audit)) return [];
    const tracks = plan.tracks.map(({ bundle }) => ({
      scores: Float64Array.from(bundle.heads, (_, e) => row.scores[e] ?? NaN),
      classes: Int32Array.from(bundle.heads, () => headClass(row)),
      lossTenths: Uint8Array.from(bundle.heads, () => lossOf(row)),
    }));
    return [{ row: i, backboneClass: row.backboneClass, backboneConfidence: 0.9, tracks }];
  });
  const samples = rows.flatMap((row, i): SampledRow[] => {
    if (!isEvidence(i, RowFlag.Sample) || plan.samples.length === 0) return [];
    return [
      {
        row: i,
        backboneClass: row.backboneClass,
        logProbabilities: Float32Array.from({ length: FAKE_CLASSES }, (_, c) =>
          c === row.backboneClass ? -0.1 : -3,
        ),
        features: plan.samples.map(() => Float32Array.from(row.scores)),
      },
    ];
  });
  const nanRows = rows.filter((row) => row.code === RowCode.headNotFinite).length;
  return {
    audits,
    samples,
    seconds: {
      segment: 0.001 * rows.length,
      head: 0,
      companion: 0,
      compact: 0,
      audit: 0,
      plain: 0.001 * rows.length,
    },
    segments:
      plan.tracks.length === 0 ? [{ cut: -1, ms: 1 }] : [0, 1, 2].map((cut) => ({ cut, ms: 1 })),
    nonFiniteRows: notFinite,
    nonFiniteHeads:
      nanRows === 0
        ? []
        : plan.tracks.map(({ track, bundle }) => ({
            track,
            exit: bundle.heads[0]?.exit ?? '',
            rows: nanRows,
          })),
  };
}
