// 5,000 swaps with the real engine, and two controls that leak.
import { expect, test } from 'vitest';
import { Fault } from '../../support/faulty-engine/faults.ts';
import { growthOf, runSwaps, type SwapRun } from '../../support/swap-run.ts';
import { swapPlace } from './swap-place.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordSwaps = openRecord('swaps');

/** Per swap, once warm. What one swap loads takes 590 KB (measured with the control); allocators and collectors move by steps. */
const FLAT_BYTES = 24 * 1024;

const start = swapPlace();

async function run(swaps: number, fault?: number): Promise<SwapRun> {
  const done = await runSwaps(
    start(fault !== undefined),
    fault === undefined ? { swaps } : { swaps, fault },
  );
  const mib = (rss: readonly number[]): string =>
    [0, 0.25, 0.5, 0.75, 1]
      .map((part) =>
        Math.round(rss[Math.min(rss.length - 1, Math.floor(part * rss.length))]! / 2 ** 20),
      )
      .join(' ');
  process.stdout.write(
    `${swaps} swaps, ${done.requests} requests, ${done.failures.length} failed; ` +
      `MiB of the host ${mib(done.hostRss)} (${Math.round(growthOf(done.hostRss))} bytes a swap at the end), ` +
      `of main ${mib(done.mainRss)} (${Math.round(growthOf(done.mainRss))})\n`,
  );
  return done;
}

test(
  '5,000 swaps under load fail no request, and memory stays flat',
  { timeout: 1_200_000 },
  async () => {
    const { failures, refusals, before, after, hostRss, mainRss } = await run(5_000);
    const kibibytesASwap = Math.max(growthOf(hostRss), growthOf(mainRss)) / 1024;
    recordSwaps({
      swaps: hostRss.length - refusals.length,
      failed: failures.length,
      kibibytesASwap,
    });
    expect(failures).toEqual([]);
    expect(refusals).toEqual([]);
    expect(after).toEqual(before);
    expect(growthOf(hostRss)).toBeLessThan(FLAT_BYTES);
    expect(growthOf(mainRss)).toBeLessThan(FLAT_BYTES);
  },
);

test(
  'the same check catches an engine that keeps what nobody needs',
  { timeout: 600_000 },
  async () => {
    const { failures, before, after, hostRss } = await run(500, Fault.keepPlans);
    expect(failures).toEqual([]);
    expect(after.plans).toBeGreaterThan(before.plans);
    expect(growthOf(hostRss)).toBeGreaterThan(FLAT_BYTES);
  },
);
