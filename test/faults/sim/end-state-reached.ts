// A process that is restarted whenever it dies, until the world is as an undisturbed run leaves it.
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { ControllerDependencies } from '../../../operator/controllers/dependencies.ts';
import type { Faults } from '../../support/simulated-api-faults.ts';
import { endState } from './end-state.ts';
import { aServiceObject, describeWrites, operatorWrites } from './services.ts';
import { createWorld, type Process, type World } from './world.ts';

const STEP_MS = 1_000;
const RESTART_MS = 2_000;

export interface Run {
  readonly world: World;
  /** Lets time pass; a dead process has a successor two seconds later, without faults unless told. */
  pass(ms: number): Promise<void>;
  processes(): readonly Process[];
}

interface SupervisedBy {
  readonly first?: Faults;
  readonly later?: Faults;
  readonly seed?: number;
  readonly deps?: Partial<ControllerDependencies>;
}

export function superviseWith(
  world: World,
  { first, later = {}, seed = 1, deps = {} }: SupervisedBy = {},
): Run {
  const processes = [
    world.startOperator({ seed, deps, ...(first === undefined ? {} : { faults: first }) }),
  ];
  return {
    world,
    processes: () => processes,
    pass: async (ms) => {
      for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
        await world.pass(Math.min(STEP_MS, ms - passedMs));
        const running = processes.at(-1)!;
        if (!running.client.isDead) continue;
        running.kill();
        await world.pass(RESTART_MS);
        processes.push(world.startOperator({ seed: seed + processes.length, faults: later, deps }));
      }
    },
  };
}

interface Undisturbed {
  readonly state: Readonly<Record<string, unknown>>;
  readonly calls: number;
  readonly writes: readonly string[];
}

/** By spec: nothing of it is left to chance, and many runs end with the same one. */
const known = new Map<string, Promise<Undisturbed>>();

/** What a world looks like in which nothing ever went wrong, and how many calls and writes that took. */
export function undisturbed(spec: Readonly<Record<string, unknown>> = {}): Promise<Undisturbed> {
  const key = JSON.stringify(spec);
  const found = known.get(key) ?? runUndisturbed(spec);
  known.set(key, found);
  return found;
}

async function runUndisturbed(spec: Readonly<Record<string, unknown>>): Promise<Undisturbed> {
  const world = createWorld();
  const run = superviseWith(world);
  await world.user.create(aServiceObject(spec));
  await run.pass(60_000);
  world.close();
  return {
    state: endState(world.cluster),
    calls: world.cluster.calls.filter(({ client }) => client.startsWith('operator-')).length,
    writes: describeWrites(operatorWrites(world)),
  };
}

/** A cache that missed an event tries once more what stands there already, and the version it knows refuses that. */
const MOST_REFUSED = 2;

/** Passes until the state is reached, then half a minute more: it stays, and nothing is written. `part` is what counts of a state. */
export async function expectReached(
  run: Run,
  state: Readonly<Record<string, unknown>>,
  withinMs = 180_000,
  part: (state: Readonly<Record<string, unknown>>) => unknown = (whole) => whole,
): Promise<void> {
  const { world } = run;
  const stateNow = (): unknown => part(endState(world.cluster));
  let seenCalls = -1;
  const isReached = (): boolean => {
    if (world.cluster.calls.length === seenCalls) return false;
    seenCalls = world.cluster.calls.length;
    return isDeepStrictEqual(stateNow(), state);
  };
  for (let passedMs = 0; passedMs < withinMs && !isReached(); passedMs += STEP_MS) {
    await run.pass(STEP_MS);
  }
  expect(stateNow()).toEqual(state);
  // What was on its way when the state was reached, such as a status under the same words.
  await run.pass(5_000);
  const before = operatorWrites(world).length;
  await run.pass(25_000);
  const late = operatorWrites(world).slice(before);
  expect(describeWrites(late.filter(({ isRefused }) => !isRefused))).toEqual([]);
  expect(late.length).toBeLessThanOrEqual(MOST_REFUSED);
  expect(stateNow()).toEqual(state);
  expect(run.processes().flatMap(({ crashes }) => crashes)).toEqual([]);
}
