// The operator dies right before and right after each write on the way from an empty service to exits in force (reliability.md S1 to S3).
import { expect, test } from 'vitest';
import { crashOnce, expectSameEnd, isKept, type When } from './crashing-loop.ts';
import { createLoop } from './loop-world.ts';
import { countCases } from '../../promises/count-cases.ts';
import { openRecord } from '../../promises/open-record.ts';

const holdCrash = countCases(openRecord('crash-writes'), {
  cases: 'writes',
  failures: 'differences',
});

const HOUR = 3_600_000;

async function countWrites(): Promise<number> {
  let writes = 0;
  const onCall = (call: Parameters<typeof isKept>[0]) => {
    if (isKept(call)) writes += 1;
    return null;
  };
  const loop = await createLoop({ faults: { onCall } });
  await loop.until('serving', () => loop.ledger()?.stage === 'Serving', 2 * HOUR);
  loop.world.close();
  return writes;
}

test.each<When>(['Before', 'After'])(
  'whichever write: an operator that dies %s it has a successor that ends the same way',
  async (when) => {
    const writes = await countWrites();
    expect(writes).toBeGreaterThan(30);
    for (let n = 1; n <= writes; n++) {
      let seen = 0;
      const loop = await crashOnce(when, () => ++seen === n);
      await holdCrash(() => {
        expectSameEnd(loop);
      });
      loop.world.close();
    }
  },
  1_800_000,
);
