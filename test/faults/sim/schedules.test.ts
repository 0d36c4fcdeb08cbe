// Three hundred short schedules of everything that can go wrong, each from its seed; longer and more of them: schedules-*.long.ts.
import { describe, expect, test } from 'vitest';
import { openRecord } from '../../promises/open-record.ts';
import { holdSchedules } from './hold-schedules.ts';
import { expectHolds } from './run-schedule.ts';
import { describeSchedule, drawSchedule, type Schedule } from './schedule.ts';
import { shrinkSchedule } from './shrink-schedule.ts';

const plan = { first: 0, seeds: 300, atOnce: 10, troubleMs: 30_000 };
const { firsts, holdFrom } = holdSchedules(plan, openRecord('schedules'));

describe('trouble of half a minute', () => {
  test.each(firsts)('ends as the last spec says, whatever it was, seeds from %i on', holdFrom);
});

test('a service that is made anew while a cache is behind gets its policy on the pod that comes then', () =>
  expectHolds(6_308, 180_000));

test('a Deployment that is made anew while a cache is behind is not taken for one that is refused for good', () =>
  expectHolds(7_303, 180_000));

describe('a schedule', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(drawSchedule(3, 60_000)).toEqual(drawSchedule(3, 60_000));
    expect(drawSchedule(4, 60_000)).not.toEqual(drawSchedule(3, 60_000));
  });

  test('that fails is made as small as what makes it fail', async () => {
    const schedule = drawSchedule(5, 300_000);
    const acts = ({ steps }: Schedule): string[] => steps.map(({ act }) => act);
    expect(acts(schedule)).toContain('delete a pod');
    expect(acts(schedule)).toContain('kill the operator');
    const fails = (smaller: Schedule): Promise<boolean> => {
      const names = acts(smaller);
      const isBroken = ['delete a pod', 'kill the operator'].every((one) => names.includes(one));
      return Promise.resolve(isBroken && smaller.rates.stale > 0);
    };
    const smallest = await shrinkSchedule(schedule, fails);
    expect(acts(smallest).toSorted()).toEqual(['delete a pod', 'kill the operator']);
    expect(describeSchedule(smallest)).toMatch(
      /^seed 5, 300 s, faults: stale 0\.\d{3}\n {2}after \d+ ms: [^\n]+\n {2}after \d+ ms: [^\n]+$/,
    );
  });

  test('that breaks is told with its seed and what is left of it', async () => {
    const broken = expectHolds(6, 20_000, () => Promise.reject(new Error('broken on purpose')));
    await expect(broken).rejects.toThrow(
      /broken on purpose\nThe smallest that fails:\nseed 6, 20 s, faults: none$/,
    );
  });
});
