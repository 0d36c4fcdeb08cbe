import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBodyBudget } from '../../../../server/http/body-budget.ts';

describe('bytes that requests hold together', () => {
  test('fit up to the limit, and not one more', () => {
    const budget = createBodyBudget(() => 100);
    const [first, second] = [budget.open(), budget.open()];
    first.resize(60);
    second.resize(40);
    expect(() => {
      second.resize(41);
    }).toThrow(/^Requests hold all of the 100 bytes .* try again shortly/);
    first.resize(59);
    second.resize(41);
  });

  test('may be more than the limit for one request that is alone', () => {
    const budget = createBodyBudget(() => 100);
    const large = budget.open();
    large.resize(1_000);
    const small = budget.open();
    expect(() => {
      small.resize(1);
    }).toThrow(/try again/);
    large.release();
    small.resize(1);
    // To hold less is always possible.
    large.resize(50);
    small.resize(0);
  });

  test('are all free again when every request is over, whatever was refused between', () => {
    const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(80), fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const budget = createBodyBudget(() => 100);
        const holds = Array.from({ length: 5 }, () => budget.open());
        const held = [0, 0, 0, 0, 0];
        for (const [index, bytes, ends] of all) {
          if (ends) {
            holds[index]!.release();
            held[index] = 0;
            continue;
          }
          try {
            holds[index]!.resize(bytes);
            held[index] = bytes;
          } catch {
            expect(held.reduce((sum, one) => sum + one) - held[index]! + bytes).toBeGreaterThan(
              100,
            );
          }
          expect(held.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(100);
        }
        for (const hold of holds) hold.release();
        const [a, b] = [budget.open(), budget.open()];
        a.resize(50);
        b.resize(50);
      }),
      { seed: 9 },
    );
  });
});
