// A slowdown attack (arXiv 2010.02432): inputs that no head is sure of. `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { expect, onTestFinished, test } from 'vitest';
import type { Policy } from '../../../crds/wire/policy.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
import { countOutcomes, startOpenLoop } from '../../bench/open-loop.ts';
import { eventually } from '../../support/eventually.ts';
import {
  aPolicy,
  aTrack,
  EASY,
  fakeBundle,
  HARD,
  INFER,
  inferBody,
  startTestServer,
  type TestServer,
} from '../../support/test-server.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordAttack = openRecord('no-early-exits');

const LIMITS = { maxBatchSize: 1, maxQueueLength: 20, maxConcurrentRequests: 40 };
/** Of half a batch: 25 hard rows a second, and 500 easy ones. */
const HARD_MS = 20;
const EASY_MS = 1;
const RATE = 100;
const REQUESTS = 200;
const LAMBDA = 60;

async function serverWithExits(): Promise<{ server: TestServer; policy: Policy }> {
  const server = await startTestServer();
  onTestFinished(() => server.close());
  const { engine } = server;
  engine.slotCount = 1;
  const run = engine.run.bind(engine);
  engine.run = (batch, onRows) => {
    const bytes = Uint8Array.from(batch.input.flatMap((piece) => [...piece]));
    const [, score = 0] = new Float32Array(bytes.buffer);
    engine.latencyMs = score > 0.5 ? EASY_MS : HARD_MS;
    return run(batch, onRows);
  };
  const stable = await server.push(fakeBundle(2));
  const track = aTrack(stable, { lambdaIndex: LAMBDA });
  const policy = aPolicy({ stable: track, limits: { ...DEFAULT_LIMITS, ...LIMITS } });
  await server.apply(policy);
  return { server, policy };
}

async function expectEarly(server: TestServer): Promise<void> {
  for (let i = 0; i < 20; i++) {
    expect((await server.ask([EASY])).parameters.layercache_exit).toBe('early');
  }
}

test('traffic in which no row leaves any more, at a rate that only exits could serve: what is too much is refused, what is answered is right, and lambda stays', async () => {
  const { server, policy } = await serverWithExits();
  await expectEarly(server);
  const message = {
    path: INFER,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(inferBody([HARD])),
  };
  const attack = await startOpenLoop({
    ...{ port: server.data, seed: 23, ratePerSecond: RATE, requests: REQUESTS, connections: 60 },
    messages: Array.from({ length: REQUESTS }, () => message),
  });
  let mostQueued = 0;
  const over = { isOver: false };
  const watching = (async () => {
    while (!over.isOver) mostQueued = Math.max(mostQueued, (await server.state()).queue.rows);
  })();
  const outcomes = countOutcomes(await attack.done);
  over.isOver = true;
  await watching;
  expect(Object.keys(outcomes).sort()).toEqual(['200', '429']);
  expect(outcomes['200']! + outcomes['429']!).toBe(REQUESTS);
  expect(mostQueued).toBeLessThanOrEqual(LIMITS.maxQueueLength);
  recordAttack({
    requests: REQUESTS,
    lost: REQUESTS - outcomes['200']! - outcomes['429']!,
    queuedOverLimit: Math.max(0, mostQueued - LIMITS.maxQueueLength),
  });
  // Answers are those of the backbone, whose numbers say so.
  await eventually(async () => {
    const { parameters, outputs } = await server.ask([HARD]);
    expect(parameters.layercache_exit).toBe('backbone');
    expect(outputs[0]!.data).toEqual([0, 10, 0]);
  });
  const { policy: inForce, switchedOff } = await server.state();
  expect(inForce).toEqual({ epoch: policy.epoch, revision: policy.revision, exitsEnabled: true });
  expect(switchedOff).toEqual([]);
  await expectEarly(server);
});
