import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { USER_ASKS } from './user-asks.ts';

/** `owner/repo#n` at the beginning of the name of a test, and a rule behind it. */
const TITLE = /^\s*'([\w.-]+\/[\w.-]+#\d+) \w/;

function asksTested(): string[] {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => readFileSync(`test/${file}`, 'utf8').split(/\btest(?:\.each\([^;]*?\))?\(/))
    .flatMap((rest) => TITLE.exec(rest)?.[1] ?? []);
}

test('every ask of users has one test that names it, or is known to wait', () => {
  const wanted = Object.keys(USER_ASKS).filter((ask) => USER_ASKS[ask] === 'Tested');
  expect(asksTested().toSorted()).toEqual(wanted.toSorted());
});
