import { test } from 'vitest';
import { expectHolds } from './run-schedule.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordSchedules = openRecord('schedules-2');
let held = 0;

const FIRST = 6000;
const SEEDS = 5_000;
const AT_ONCE = 50;

test.each(Array.from({ length: SEEDS / AT_ONCE }, (_, i) => FIRST + i * AT_ONCE))(
  'a service ends as its last spec says after three minutes of everything, seeds from %i on',
  async (first) => {
    for (let seed = first; seed < first + AT_ONCE; seed++) await expectHolds(seed, 180_000);
    held += AT_ONCE;
    recordSchedules({ seeds: held, failed: 0 });
  },
);
