import { expect, test } from 'vitest';
import { aCanary, canaryOf, findCanaries } from './canaries.ts';

const canary = aCanary('token');
const found = (text: string) => findCanaries([canary], { log: text });

test.each([
  ['as it is', (value: string) => value],
  ['in a URL', encodeURIComponent],
  ['in hex', (value: string) => Buffer.from(value).toString('hex')],
  ['in base64', (value: string) => Buffer.from(value).toString('base64')],
  ['in base64 behind a user', (value: string) => Buffer.from(`me:${value}`).toString('base64')],
  ['in base64 behind one byte', (value: string) => Buffer.from(`x${value}y`).toString('base64')],
  ['in base64 for a URL', (value: string) => Buffer.from(`ab${value}`).toString('base64url')],
])('a canary is found %s', (_, written) => {
  const [hit] = found(`{"msg":"${written(canary.value)}"}`);
  expect(hit).toMatch(/^token in log, after "\{"msg":"/);
});

test('a key of any bytes is found, and what is something else is not', () => {
  const key = canaryOf(
    'key',
    Uint8Array.from({ length: 32 }, (_, i) => i * 7),
  );
  const text = Buffer.from(key.value, 'latin1').toString('base64');
  expect(findCanaries([key], { a: text, b: text.slice(20) })).toEqual(['key in a, after ""']);
  expect(found('nothing')).toEqual([]);
});
