// A schedule: what people, other controllers and faults do to a service, and when. It is data, so that one that fails can be
// made smaller and printed.
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';
import { CALM, type FaultRates } from '../../support/simulated-api-faults.ts';
import { ACT_NAMES, type ActName } from './acts.ts';

export interface Step {
  /** After the step before. */
  readonly waitMs: number;
  readonly act: ActName;
  /** Seed of what is left to chance in it, so that it does the same whatever stands around it. */
  readonly draw: number;
}

export interface Schedule {
  readonly seed: number;
  readonly rates: FaultRates;
  /** Faults happen until then. */
  readonly troubleMs: number;
  readonly steps: readonly Step[];
}

/** Equal seeds and lengths give equal schedules. */
export function drawSchedule(seed: number, troubleMs: number): Schedule {
  const random = seededRandom([seed, 7]);
  const steps: Step[] = [];
  for (let atMs = 0; atMs < troubleMs;) {
    const waitMs = Math.round(1_000 + random.exponential(10_000));
    const act = ACT_NAMES[Math.floor(random.uniform() * ACT_NAMES.length)]!;
    steps.push({ waitMs, act, draw: steps.length });
    atMs += waitMs;
  }
  return { seed, rates: drawRates(random), troubleMs, steps };
}

/** A quarter of them are 0: trouble of few kinds at a time finds more than all at once. */
function drawRates(random: SeededRandom): FaultRates {
  const rate = (most: number): number => (random.chance(0.25) ? 0 : random.uniform() * most);
  return {
    delay: rate(0.3),
    refuse: rate(0.2),
    lose: rate(0.2),
    silence: rate(0.02),
    stale: rate(0.2),
    crash: rate(0.03),
    event: rate(0.2),
  };
}

/** Schedules with less in them, those with much less first: without faults of a kind, without a run of steps, without waiting. */
export function smallerSchedules(schedule: Schedule): readonly Schedule[] {
  const { rates, steps } = schedule;
  const calmer = kindsOf(rates).map((kind) => ({ ...schedule, rates: { ...rates, [kind]: 0 } }));
  const none = calmer.length > 1 ? [{ ...schedule, rates: CALM }] : [];
  const shorter: Schedule[] = [];
  for (let size = steps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at + size <= steps.length; at += size) {
      shorter.push({ ...schedule, steps: [...steps.slice(0, at), ...steps.slice(at + size)] });
    }
  }
  return [...none, ...shorter, ...calmer];
}

/** Kinds of faults that happen. */
function kindsOf(rates: FaultRates): readonly (keyof FaultRates)[] {
  return (Object.keys(rates) as (keyof FaultRates)[]).filter((kind) => rates[kind] > 0);
}

/** One line for the faults, then one a step. */
export function describeSchedule({ seed, rates, troubleMs, steps }: Schedule): string {
  const faults = kindsOf(rates)
    .map((kind) => `${kind} ${rates[kind].toFixed(3)}`)
    .join(', ');
  return [
    `seed ${seed}, ${troubleMs / 1_000} s, faults: ${faults === '' ? 'none' : faults}`,
    ...steps.map(({ waitMs, act, draw }) => `  after ${waitMs} ms: ${act} (${draw})`),
  ].join('\n');
}
