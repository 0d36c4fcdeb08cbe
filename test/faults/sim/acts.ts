// What may happen to a service besides faults of the API: each is one act of a schedule.
import { readService } from '../../../crds/v1alpha1/read-object.ts';
import type { SeededRandom } from '../../support/seeded-random.ts';
import type { Run } from './end-state-reached.ts';
import { OPTIONAL_FIELDS, withField } from './optional-fields.ts';
import { aServiceObject, CHILDREN, find, ref, replaceSpec, storedSpec } from './services.ts';
import type { World } from './world.ts';

type Act = (world: World, random: SeededRandom, run: Run) => Promise<void>;

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[Math.floor(random.uniform() * items.length)]!;
}

/** Of these a fresh install knows less: a count that was scaled to, a backbone that was seen before. */
const REMEMBERING: ReadonlySet<string> = new Set(['autoscaling', 'suspend']);
const FORGETFUL = OPTIONAL_FIELDS.filter(({ path }) => !REMEMBERING.has(path));

/** One field more, other or less, if that is a spec that the API server takes. */
export async function editAtRandom(world: World, random: SeededRandom): Promise<void> {
  const { path, values } = pick(random, FORGETFUL);
  const spec = withField(storedSpec(world), path, pick(random, [...values, undefined]));
  if (readService(aServiceObject(spec)).ok) await replaceSpec(world, spec);
}

const ACTS = {
  'edit a field': editAtRandom,
  'edit another field': editAtRandom,
  'delete a child': async (world, random) => {
    const [kind, name] = pick(random, CHILDREN);
    if (find(world, kind, name) !== undefined) await world.user.delete(ref(kind, name));
  },
  'garble the policy': async (world) => {
    if (find(world, 'ConfigMap', 'vision-policy') === undefined) return;
    await world.user.mergePatch(ref('ConfigMap', 'vision-policy'), {
      data: { 'policy.json': '{' },
    });
  },
  'edit the Service by hand': async (world) => {
    if (find(world, 'Service') === undefined) return;
    await world.user.mergePatch(ref('Service'), { spec: { selector: { app: 'mine' } } });
  },
  'delete a pod': async (world, random) => {
    const pods = world.cluster.objects('Pod');
    if (pods.length === 0) return;
    await world.user.delete(ref('Pod', pick(random, pods).metadata.name));
  },
  // The same name, and nothing of the old one holds.
  'make the service anew': async (world) => {
    const spec = storedSpec(world);
    await world.user.delete(ref('CachedModelService'));
    await world.user.create(aServiceObject(spec));
  },
  'kill the operator': (_, __, run) => {
    run.processes().at(-1)!.client.crash();
    return Promise.resolve();
  },
  'compact the store': (world) => {
    world.cluster.compact();
    return Promise.resolve();
  },
} satisfies Readonly<Record<string, Act>>;

export type ActName = keyof typeof ACTS;
export const ACT_NAMES = Object.keys(ACTS) as ActName[];

export function act(name: ActName, world: World, random: SeededRandom, run: Run): Promise<void> {
  const chosen: Act = ACTS[name];
  return chosen(world, random, run);
}
