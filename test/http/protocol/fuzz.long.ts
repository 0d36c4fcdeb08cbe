// An hour of changed requests against one server: no crash, no failure, and memory that stops growing.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzzRound, goodRequests } from '../../support/hostile-fuzz.ts';
import type { HostileServer } from '../../support/hostile-server.ts';
import { startHostileServer } from '../../support/hostile-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordFuzz = openRecord('fuzz');

const MINUTES = Number(process.env.LAYERCACHE_FUZZ_MINUTES ?? 60);

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer({ LAYERCACHE_HEADERS_TIMEOUT: '1s' });
});
afterAll(() => server.close());

test(
  'an hour of seeded changes to good requests of every route harms nothing',
  async () => {
    const good = goodRequests(server.goodBody);
    const random = seededRandom(2025);
    const startedMs = performance.now();
    const elapsed = () => (performance.now() - startedMs) / 60_000;
    let afterWarmUp = 0;
    let failures = 0;
    for (let round = 0; elapsed() < MINUTES; round++) {
      for (const [status, request] of await fuzzRound(server.dataPort, good, random)) {
        if (status >= 500) failures += 1;
        if (status >= 500) recordFuzz({ seconds: 60 * elapsed(), failures });
        expect([status < 500, request]).toEqual([true, request]);
      }
      if (round % 100 === 99) await server.expectUnharmed();
      if (elapsed() < MINUTES / 6) afterWarmUp = server.peakBytes();
    }
    expect(server.peakBytes() - afterWarmUp).toBeLessThan(100 * 2 ** 20);
    recordFuzz({ seconds: 60 * elapsed(), failures });
  },
  (MINUTES + 10) * 60_000,
);
