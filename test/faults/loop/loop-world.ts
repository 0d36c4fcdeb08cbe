// A cluster with traffic: pods that answer rows and tell evidence, Jobs that train, and the operator that closes the loop.
import type { ControllerMetrics } from '../../../operator/controllers/dependencies.ts';
import { parseLedger, type Ledger } from '../../../operator/lifecycle/ledger.ts';
import type { ServiceDefaults } from '../../../operator/plan/defaults.ts';
import { storedLedger } from '../../../operator/plan/ledger-config-map.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { calibratedScores, drawRows, type ScoreOf } from '../../support/exit-simulation.ts';
import type { Faults } from '../../support/simulated-api-faults.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { answerRows, driftRows, EXITS, type Drift } from '../../support/simulated-fleet.ts';
import { DEFAULTS } from '../../unit/operator/plan/builders.ts';
import { superviseWith, type Run } from '../sim/end-state-reached.ts';
import { aServiceObject, conditionOf, find } from '../sim/services.ts';
import { createWorld, type World } from '../sim/world.ts';
import { equip, fetchAgain, touchState, type LoopPod } from './loop-pod.ts';
import { createLoopStore } from './loop-store.ts';
import { runJobs, type TrainerScript } from './loop-trainer.ts';

export interface LoopOptions {
  readonly seed?: number;
  readonly rowsPerSecond?: number;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** What befalls the operator's calls. */
  readonly faults?: Faults;
  /** Of the installation; absent: ConfigMaps. */
  readonly store?: NonNullable<ServiceDefaults['template']['store']>;
  /** @defaultValue figures go nowhere */
  readonly metrics?: ControllerMetrics;
}

export interface LoopWorld {
  readonly world: World;
  readonly run: Run;
  readonly pods: ReadonlyMap<string, LoopPod>;
  readonly trainer: TrainerScript;
  drift: Drift;
  rowsPerSecond: number;
  /** What pods load that start from now on. */
  backboneDigest: string;
  ledger(): Ledger | null;
  /** Traffic of ten seconds: every pod closes a window. */
  serve(): void;
  pass(ms: number): Promise<void>;
  /** Passes until it holds; throws with what is known when it does not in time. */
  until(what: string, holds: () => boolean, withinMs: number): Promise<void>;
  events(): string[];
}

export const TRAINER = {
  image: 'registry.example.com/layercache/operator:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecretNames: [],
  resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '4Gi' } },
};

const WINDOW_MS = 10_000;
const STEPS = [
  { share: '25%', hold: '20s' },
  { share: '100%', hold: '20s' },
];

/** A service whose rollouts take minutes instead of an hour. */
export async function createLoop(options: LoopOptions = {}): Promise<LoopWorld> {
  const { seed = 1, rowsPerSecond = 40 } = options;
  const world = createWorld();
  const pods = new Map<string, LoopPod>();
  const store = createLoopStore();
  const trainer: TrainerScript = { outcome: 'Trained', seedOf: (attempt) => attempt, store };
  const set = world.pods.set.bind(world.pods);
  world.pods.set = (uid, fake) => {
    if (fake.override === null) pods.set(uid, equip(fake, loop.backboneDigest, store));
    return set(uid, fake);
  };
  const run = superviseWith(world, {
    deps: {
      defaults: {
        ...DEFAULTS,
        template: { ...DEFAULTS.template, store: options.store ?? null },
        trainer: TRAINER,
      },
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    },
    ...(options.faults === undefined ? {} : { first: options.faults, later: options.faults }),
  });
  const scores = new Map<string, ScoreOf>();
  const random = seededRandom([seed, 1]);
  const loop = {
    ...{ world, run, pods, trainer, rowsPerSecond },
    drift: { shift: 0, noise: 0 },
    backboneDigest: BACKBONE_DIGEST,
    ledger: () => {
      const text = storedLedger(find(world, 'ConfigMap', 'vision-evidence') ?? null);
      const parsed = text === null ? null : parseLedger(text);
      if (parsed?.ok === false) throw new Error(parsed.message);
      return parsed?.value ?? null;
    },
    serve,
    pass: async (ms: number) => {
      for (let passedMs = 0; passedMs < ms; passedMs += WINDOW_MS) {
        serve();
        await runJobs(world, trainer);
        await run.pass(WINDOW_MS);
      }
    },
    until: async (what: string, holds: () => boolean, withinMs: number) => {
      for (let passedMs = 0; passedMs < withinMs; passedMs += WINDOW_MS) {
        if (holds()) return;
        await loop.pass(WINDOW_MS);
      }
      const { stage } = loop.ledger() ?? {};
      const exits = conditionOf(world, 'ExitsActive');
      throw new Error(
        `not in time: ${what}; stage ${String(stage)}, ${String(exits)}\n${loop.events().join('\n')}`,
      );
    },
    events: () =>
      world.cluster
        .objects('Event')
        .map((event) => `${String(event.reason)}: ${String(event.note)}`),
  };

  /** One window of every pod, over rows that all pods share. */
  function serve(): void {
    const count = Math.round((loop.rowsPerSecond * WINDOW_MS) / 1_000);
    const rows = driftRows(drawRows(random, count), loop.drift, random);
    const draws = Array.from({ length: count }, () => [random.uniform(), random.uniform()]);
    const live = [...pods.values()].filter(({ fake }) => isThere(fake.pod.uid));
    for (const pod of live) {
      fetchAgain(pod);
      learn(pod);
    }
    live.forEach((pod, p) => {
      const { fake, policy } = pod;
      const own = draws.flatMap((_, row) => (row % live.length === p ? [row] : []));
      const { uid: podUid } = fake.pod;
      const { slowness } = pod;
      const answering = { rows, draws, own, scores, tickMs: WINDOW_MS, slowness };
      for (const window of answerRows({ podUid, bootId: fake.bootId, policy }, answering)) {
        const { grid } = window;
        const told = pod.isDenying ? { ...grid, dis: grid.dis.map(() => 0) } : grid;
        fake.windows.push({ ...window, grid: told, seq: fake.windows.length + 1 });
      }
      pod.seen += own.length;
      touchState(pod);
    });
  }

  function isThere(uid: string): boolean {
    return world.cluster.objects('Pod').some(({ metadata }) => metadata.uid === uid);
  }

  /** Heads that a training made on the traffic of its time. */
  function learn({ heads }: LoopPod): void {
    for (const headRevision of heads.keys()) {
      if (scores.has(headRevision)) continue;
      const trained = driftRows(
        drawRows(seededRandom([seed, 3, scores.size]), 2_000),
        loop.drift,
        random,
      );
      scores.set(headRevision, calibratedScores(trained));
    }
  }

  await world.user.create(
    aServiceObject({
      replicas: 2,
      exits: EXITS.map((name) => ({ name, tensor: `${name}_out` })),
      heads: { training: { cooldown: '1m' } },
      rollout: { steps: STEPS },
      ...options.spec,
    }),
  );
  return loop;
}
