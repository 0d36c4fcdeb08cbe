import { expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../server/clock.ts';
import { systemClock } from '../../../server/clock.ts';
import { EASY, aPolicy, aTrack, fakeBundle, startTestServer } from '../../support/test-server.ts';

const TEN_MINUTES_MS = 600_000;

test('a wall clock that jumps by ten minutes back and forth changes nothing but text: order, deadlines, staleness and windows follow the monotonic clock', async () => {
  let looks = 0;
  const jumping: Clock = {
    monotonicMs: () => systemClock.monotonicMs(),
    nowMs: () => systemClock.nowMs() + (looks++ % 2 === 0 ? TEN_MINUTES_MS : -TEN_MINUTES_MS),
  };
  const server = await startTestServer({ clock: jumping });
  onTestFinished(() => server.close());
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), maxAgeSeconds: 30, auditRate: 1 }));
  let after = 0;
  let audits = 0;
  for (let pull = 0; pull < 5; pull += 1) {
    for (let i = 0; i < 4; i += 1) {
      const { parameters } = await server.ask([EASY], {}, { 'request-timeout': '20' });
      expect(parameters.layercache_exit).toBe('early');
    }
    const { windows, newestSeq } = await server.evidence(after);
    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, i) => after + i + 1));
    expect(
      windows.every(({ durationSeconds }) => durationSeconds >= 0 && durationSeconds < 60),
    ).toBe(true);
    audits += windows.reduce((sum, { auditsChosen }) => sum + auditsChosen, 0);
    after = newestSeq;
  }
  expect(audits).toBe(20);
  expect((await server.state()).switchedOff).toEqual([]);
  expect(await server.apply(aPolicy({ revision: 2, stable: aTrack(stable) }))).toMatchObject({
    result: 'Applied',
  });
});
