import { expect, onTestFinished, test } from 'vitest';
import { HARD, aPolicy, aTrack, fakeBundle, startTestServer } from '../../support/test-server.ts';

const OPENING_MS = 60;
/** The longest, since nine openings take longer. */
const REST_MS = 500;

test('under load, heads that follow at once wait their turn, and a policy that disables exits overtakes them', async () => {
  const server = await startTestServer();
  onTestFinished(() => server.close());
  const one = await server.push(fakeBundle(2));
  const other = await server.push(fakeBundle(3));
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) await server.ask([HARD]);
  };
  const caller = ask();
  server.engine.prepareMs = OPENING_MS;
  const startMs = performance.now();
  await server.apply(aPolicy({ revision: 1, stable: aTrack(one) }));
  await server.ask([HARD]);

  const heads = server.apply(aPolicy({ revision: 2, stable: aTrack(other) }));
  const off = await server.apply(aPolicy({ revision: 3, exitsEnabled: false, stable: null }));
  expect(off).toMatchObject({ revision: 3, result: 'Applied' });
  expect(await heads).toMatchObject({ revision: 3, result: 'Stale' });

  const again = await server.apply(aPolicy({ revision: 4, stable: aTrack(other) }));
  expect(again).toMatchObject({ revision: 4, result: 'Applied' });
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(OPENING_MS + REST_MS);
  isOver = true;
  await caller;
});
