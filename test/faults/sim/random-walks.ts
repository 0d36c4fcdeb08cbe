// Ways through specs and states, each from a seed: walks, restored stores, fields that come and go.
import { expect } from 'vitest';
import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { editAtRandom } from './acts.ts';
import { expectAsFresh } from './as-fresh.ts';
import { endState } from './end-state.ts';
import { expectReached, superviseWith, undisturbed } from './end-state-reached.ts';
import { withField, type OptionalField } from './optional-fields.ts';
import { aServiceObject, find, replaceSpec, storedSpec } from './services.ts';
import { createWorld } from './world.ts';

/** A dropped event is only found by the next list. */
const RELIST_MS = 800_000;

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
