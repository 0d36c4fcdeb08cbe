// A schedule is played against a service; then there is peace, and the world must become what its last spec says.
import { seededRandom } from '../../support/seeded-random.ts';
import { faultsUntil, seededFaults } from '../../support/simulated-api-faults.ts';
import { act } from './acts.ts';
import { expectAsFresh } from './as-fresh.ts';
import { superviseWith, type Run } from './end-state-reached.ts';
import { expectNeverAhead } from './never-ahead.ts';
import { describeSchedule, drawSchedule, type Schedule } from './schedule.ts';
import { shrinkSchedule } from './shrink-schedule.ts';
import { aServiceObject } from './services.ts';
import { createWorld, type World } from './world.ts';

/** A dropped event is only found by the next list. */
const RELIST_MS = 800_000;
/** A watch that is silent ends after 75 s, and then pods are asked again. */
const SETTLE_MS = 120_000;
/** Of so many seeds one is watched until after the next list: a good state that is left again would be seen. */
const WATCHED_LONG = 10;

/** Throws with the schedule made small when the seed's does not hold. `more` is asked of the world at its end. */
export async function expectHolds(
  seed: number,
  troubleMs: number,
  more: (run: Run) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const schedule = drawSchedule(seed, troubleMs);
  try {
    await runSchedule(schedule, more);
  } catch (cause) {
    const smallest = await shrinkSchedule(schedule, (smaller) => fails(smaller, more));
    throw new Error(`${String(cause)}\nThe smallest that fails:\n${describeSchedule(smallest)}`, {
      cause,
    });
  }
}

async function fails(schedule: Schedule, more: (run: Run) => Promise<void>): Promise<boolean> {
  try {
    await runSchedule(schedule, more);
    return false;
  } catch {
    return true;
  }
}

async function runSchedule(schedule: Schedule, more: (run: Run) => Promise<void>): Promise<void> {
  const world = createWorld();
  try {
    const run = await play(world, schedule);
    await run.pass(SETTLE_MS);
    await expectAsFresh(run, RELIST_MS);
    if (schedule.seed % WATCHED_LONG === 0) {
      await run.pass(RELIST_MS);
      await expectAsFresh(run, 0);
    }
    await more(run);
  } finally {
    world.close();
  }
}

async function play(world: World, { seed, rates, troubleMs, steps }: Schedule): Promise<Run> {
  const isOver = (): boolean => world.clock.monotonicMs() > troubleMs;
  const faults = faultsUntil(isOver, seededFaults(seededRandom([seed, 7, 1]), rates));
  const run = superviseWith(world, { first: faults, later: faults, seed });
  await world.user.create(aServiceObject());
  for (const step of steps) {
    await run.pass(step.waitMs);
    expectNeverAhead(world);
    await act(step.act, world, seededRandom([seed, 7, 2, step.draw]), run);
  }
  await run.pass(Math.max(0, troubleMs - world.clock.monotonicMs()));
  expectNeverAhead(world);
  return run;
}
