// What a seed makes of a cluster: people, faults and other controllers in any order, and then peace.
import { expect } from 'vitest';
import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';
import { seededFaults, type Faults } from '../../support/simulated-api-faults.ts';
import { endState } from './end-state.ts';
import { expectReached, superviseWith, undisturbed, type Run } from './end-state-reached.ts';
import { OPTIONAL_FIELDS, withField, type OptionalField } from './optional-fields.ts';
import { aServiceObject, find, ref, replaceSpec, storedSpec } from './services.ts';
import { createWorld, type World } from './world.ts';

type Fields = Readonly<Record<string, unknown>>;

const CHILDREN = [
  ['ConfigMap', 'vision-policy'],
  ['ServiceAccount', 'vision'],
  ['ServiceAccount', 'vision-trainer'],
  ['Service', 'vision'],
  ['Deployment', 'vision'],
  ['HorizontalPodAutoscaler', 'vision'],
  ['PodDisruptionBudget', 'vision'],
  ['NetworkPolicy', 'vision'],
] as const;

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[Math.floor(random.uniform() * items.length)]!;
}

/** Of these a fresh install knows less: a count that was scaled to, a backbone that was seen before. */
const REMEMBERING: ReadonlySet<string> = new Set(['autoscaling', 'suspend']);
const FORGETFUL = OPTIONAL_FIELDS.filter(({ path }) => !REMEMBERING.has(path));

/** One field more, other or less, if that is a spec that the API server takes. */
async function editAtRandom(world: World, random: SeededRandom): Promise<void> {
  const { path, values } = pick(random, FORGETFUL);
  const spec = withField(storedSpec(world), path, pick(random, [...values, undefined]));
  if (readService(aServiceObject(spec)).ok) await replaceSpec(world, spec);
}

/** Fields are set, changed and taken out; what is left is as if they had never been there. */
export async function expectNoTrace(fields: readonly OptionalField[]): Promise<void> {
  const plain = await undisturbed();
  const world = createWorld();
  const run = superviseWith(world);
  await world.user.create(aServiceObject());
  await run.pass(20_000);
  const before = storedSpec(world);
  for (const at of [0, 1] as const) {
    const spec = fields.reduce((all, { path, values }) => withField(all, path, values[at]), before);
    expect(readService(aServiceObject(spec))).toMatchObject({ ok: true });
    await replaceSpec(world, spec);
    await run.pass(10_000);
    // What some are changed to is their default.
    if (at === 0) expect(endState(world.cluster)).not.toEqual(plain.state);
  }
  await replaceSpec(world, before);
  await expectReached(run, plain.state, 60_000);
  world.close();
}

/** Each spec settles and costs no further write; the last is as one that was created so. */
export async function walkSpecs(seed: number, steps: number): Promise<void> {
  const random = seededRandom([seed, 8]);
  const world = createWorld();
  const run = superviseWith(world, { seed });
  await world.user.create(aServiceObject());
  await run.pass(20_000);
  for (let step = 0; step < steps; step++) {
    await editAtRandom(world, random);
    if (step % 5 < 4) await run.pass(random.exponential(5_000));
    else await expectAsFresh(run, 120_000);
  }
  await expectAsFresh(run, 120_000);
  world.close();
}

async function expectAsFresh(run: Run, withinMs: number): Promise<void> {
  const fresh = await undisturbed(storedSpec(run.world));
  await expectReached(run, withoutSecrets(fresh.state), withinMs, withoutSecrets);
}

/** Keys are made again for pods that wait for them, not for those that run. */
export function withoutSecrets(state: Fields): Fields {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !name.startsWith('Secret/')));
}

/** A quarter of them have a share of 0: trouble of few kinds at a time finds more than all at once. */
function drawFaults(random: SeededRandom): Faults {
  const rate = (most: number): number => (random.chance(0.25) ? 0 : random.uniform() * most);
  return seededFaults(random, {
    delay: rate(0.3),
    refuse: rate(0.2),
    lose: rate(0.2),
    silence: rate(0.02),
    stale: rate(0.2),
    crash: rate(0.03),
    event: rate(0.2),
  });
}

type Act = (world: World, random: SeededRandom, run: Run) => Promise<void>;

const ACTS: readonly Act[] = [
  editAtRandom,
  editAtRandom,
  async (world, random) => {
    const [kind, name] = pick(random, CHILDREN);
    if (find(world, kind, name) !== undefined) await world.user.delete(ref(kind, name));
  },
  async (world) => {
    if (find(world, 'ConfigMap', 'vision-policy') === undefined) return;
    await world.user.mergePatch(ref('ConfigMap', 'vision-policy'), {
      data: { 'policy.json': '{' },
    });
  },
  async (world) => {
    if (find(world, 'Service') === undefined) return;
    await world.user.mergePatch(ref('Service'), { spec: { selector: { app: 'mine' } } });
  },
  async (world, random) => {
    const pods = world.cluster.objects('Pod');
    if (pods.length === 0) return;
    await world.user.delete(ref('Pod', pick(random, pods).metadata.name));
  },
  // The same name, and nothing of the old one holds.
  async (world) => {
    const spec = storedSpec(world);
    await world.user.delete(ref('CachedModelService'));
    await world.user.create(aServiceObject(spec));
  },
  (_, __, run) => {
    run.processes().at(-1)!.client.crash();
    return Promise.resolve();
  },
  (world) => {
    world.cluster.compact();
    return Promise.resolve();
  },
];

const TROUBLE_MS = 180_000;
/** A dropped event is only found by the next list. */
const RELIST_MS = 800_000;

/** Three minutes of everything, then the world must become what its last spec says, and stay so without a write. */
export async function runSchedule(seed: number): Promise<void> {
  const random = seededRandom([seed, 7]);
  const world = createWorld();
  const drawn = drawFaults(random);
  const isOver = (): boolean => world.clock.monotonicMs() > TROUBLE_MS;
  const faults: Faults = {
    onCall: (call) => (isOver() ? null : drawn.onCall!(call)),
    onEvent: () => (isOver() ? null : drawn.onEvent!()),
    eventDelayMs: () => (isOver() ? 0 : drawn.eventDelayMs!()),
  };
  const run = superviseWith(world, { first: faults, later: faults, seed });
  await world.user.create(aServiceObject());
  while (!isOver()) {
    await run.pass(1_000 + random.exponential(10_000));
    await pick(random, ACTS)(world, random, run);
  }
  await run.pass(30_000);
  await expectAsFresh(run, RELIST_MS);
  world.close();
}

/** The store goes back to an earlier day (a backup of etcd): what was said since is unsaid, except by pods. */
export async function runRestore(seed: number): Promise<void> {
  const random = seededRandom([seed, 9]);
  const world = createWorld();
  const run = superviseWith(world, { seed });
  await world.user.create(aServiceObject());
  await run.pass(random.uniform() * 30_000);
  const restore = world.cluster.snapshot();
  for (let i = 0; i < 1 + random.uniform() * 4; i++) {
    await editAtRandom(world, random);
    await run.pass(random.exponential(10_000));
  }
  if (random.chance(0.3)) run.processes().at(-1)!.client.crash();
  restore();
  // Watches of a future that never was are silent, and end after 75 s.
  await run.pass(120_000);
  await expectAsFresh(run, RELIST_MS);
  const acknowledged = world.cluster
    .objects('Pod')
    .map(({ metadata }) => world.pods.get(metadata.uid ?? '')!.acknowledgement);
  const { data } = find(world, 'ConfigMap', 'vision-policy') as unknown as {
    readonly data: Readonly<Record<string, string>>;
  };
  const stored = JSON.parse(data['policy.json']!) as { epoch: number; revision: number };
  for (const { epoch, revision } of acknowledged) {
    if (epoch !== stored.epoch || revision !== stored.revision)
      throw new Error(
        `a pod stays at ${epoch}.${revision} under ${stored.epoch}.${stored.revision}`,
      );
  }
}
