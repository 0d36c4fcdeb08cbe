import { expect, test } from 'vitest';
import { createDraws, stickyDraw } from '../../../../server/evidence/draws.ts';

test('draws are spread over 32 bits and come for whole requests', () => {
  const draws = createDraws();
  const values = draws.forRows(4_000);
  const mean = values.reduce((sum, value) => sum + value / 2 ** 32, 0) / 4_000;
  // Standard error 0.0046; six of them.
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.028);
  expect(new Set(values).size).toBeGreaterThan(3_990);
  expect(draws.next()).toBeLessThan(2 ** 32);
  const uniform = draws.uniform();
  expect(uniform >= 0 && uniform < 1).toBe(true);
});

test('a sticky draw is fixed by key and value, and another key draws anew', () => {
  // printf 'a' | openssl dgst -sha256 -hmac key
  expect(stickyDraw('key', 'a')).toBe(stickyDraw('key', 'a'));
  expect(stickyDraw('key', 'a')).not.toBe(stickyDraw('key2', 'a'));
  expect(stickyDraw('key', 'a')).not.toBe(stickyDraw('key', 'b'));
});
