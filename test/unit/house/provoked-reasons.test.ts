import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASONS, type Reason } from '../../../crds/v1alpha1/reasons.ts';

// A reason that no test provokes may be one that nothing gives. What counts is its name in a test that runs the real thing: an
// API server, faults on a simulated one, or server processes.

/** Each with why no test of that kind provokes it. A reason that gets one has to leave the list. */
const NOT_YET: Readonly<Partial<Record<Reason, string>>> = {};

const texts = ['cluster', 'faults', 'http/server'].flatMap((folder) =>
  readdirSync(`test/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => readFileSync(`test/${folder}/${path}`, 'utf8')),
);

function isProvoked(reason: string): boolean {
  // As a word of its own, or after the status of a condition.
  const named = new RegExp(`['"\`+](True |False |Unknown )?${reason}\\b`);
  return texts.some((text) => named.test(text));
}

test('every reason is provoked by a test, or stands here with why it is not', () => {
  const unknown = Object.keys(REASONS).filter((name) => !isProvoked(name) && !(name in NOT_YET));
  expect(unknown).toEqual([]);
});

test('an exception that is provoked by now leaves the list', () => {
  const late = Object.keys(NOT_YET).filter(isProvoked);
  expect(late).toEqual([]);
});
