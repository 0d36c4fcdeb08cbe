import { test } from 'vitest';
import { openRecord } from '../../promises/open-record.ts';
import { holdSchedules } from './hold-schedules.ts';

const plan = { first: 1000, seeds: 5_000, atOnce: 50, troubleMs: 180_000 };
const { firsts, holdFrom } = holdSchedules(plan, openRecord('schedules-1'));

test.each(firsts)(
  'a service ends as its last spec says after three minutes of everything, seeds from %i on',
  holdFrom,
);
