import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../../../operator/clock.ts';
import type {
  InferClient,
  InferOutcome,
} from '../../../../../operator/local/replay/infer-client.ts';
import type { InferMode } from '../../../../../operator/local/replay/infer-codec.ts';
import { createReplay, type ReplayOptions } from '../../../../../operator/local/replay/replay.ts';
import { createSlots } from '../../../../../operator/local/replay/slots.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';
import { planTraffic } from '../../../../../operator/local/traffic/traffic-plan.ts';
import { eventually } from '../../../../support/eventually.ts';

interface Sent {
  readonly value: number;
  readonly mode: InferMode;
  readonly clip: string | null | undefined;
}

/** Answers every request at the next turn of the event loop; counts how many are in flight. */
function fakeClient(outcome: Partial<InferOutcome> = {}) {
  const sent: Sent[] = [];
  const flight = { now: 0, most: 0, mostOfClip: 0 };
  const ofClip = new Map<string, number>();
  const count = (clip: string | null | undefined, change: number): void => {
    flight.now += change;
    flight.most = Math.max(flight.most, flight.now);
    if (clip === null || clip === undefined) return;
    ofClip.set(clip, (ofClip.get(clip) ?? 0) + change);
    flight.mostOfClip = Math.max(flight.mostOfClip, ofClip.get(clip) ?? 0);
  };
  const client: InferClient = {
    infer: async (rows, mode, clip) => {
      sent.push({ value: rows[0]?.readUInt32LE() ?? -1, mode, clip });
      count(clip, 1);
      await new Promise((resolve) => setImmediate(resolve));
      count(clip, -1);
      const answer = { exit: 'backbone', policy: '1.1', headRevision: '', classIds: [0] };
      return { ok: true, answer, latencyMs: 1, ...outcome } as InferOutcome;
    },
    giveUp: () => undefined,
    close: () => undefined,
  };
  return { client, sent, flight };
}

function aPlan(rows: number, training = 0, clips: readonly string[] | null = null) {
  const bytes = Buffer.alloc(4 * rows);
  for (let i = 0; i < rows; i++) bytes.writeUInt32LE(i, 4 * i);
  const known = memorySource({ name: 'rows', rowShape: [4], element: 'u1', labels: null }, bytes);
  const source = clips === null ? known : { ...known, clips };
  const headBytes = Buffer.alloc(4 * training);
  for (let i = 0; i < training; i++) headBytes.writeUInt32LE(1_000_000 + i, 4 * i);
  const headTraffic = memorySource({ ...source, name: 'head' }, headBytes);
  return planTraffic({
    traffic: source,
    headTraffic,
    trains: true,
    classCount: 2,
    seed: 1,
    requests: null,
    loop: false,
    drift: null,
    keepsOrder: clips !== null,
  });
}

function aReplay(options: Partial<ReplayOptions> & Pick<ReplayOptions, 'client' | 'plan'>) {
  const seen = { answers: 0, errors: [] as string[], optedOut: 0, closes: 0 };
  const replay = createReplay({
    clock: systemClock,
    concurrency: 4,
    rate: null,
    maxRows: null,
    hooks: {
      onAnswer: () => {
        seen.answers += 1;
      },
      onError: (code) => seen.errors.push(code),
      onOptedOut: () => {
        seen.optedOut += 1;
      },
      closeWindows: () => {
        seen.closes += 1;
        return Promise.resolve();
      },
    },
    ...options,
  });
  return { replay, seen };
}

describe('replaying', () => {
  test('sends nothing until it is asked to', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(10) });
    const running = replay.run();
    await replay.idle();
    expect(sent).toHaveLength(0);
    replay.setDemand('Serving');
    await running;
    expect(sent).toHaveLength(10);
  });

  test('keeps as many requests in flight as asked for', async () => {
    const { client, flight } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(100), concurrency: 7 });
    replay.setDemand('Serving');
    await replay.run();
    expect(flight.most).toBe(7);
  });

  test('holds when the training rows are spent, and sends no row late after a hold', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(5, 20) });
    replay.setDemand('Training');
    const running = replay.run();
    await eventually(() => {
      expect(replay.isTrainingSpent).toBe(true);
    });
    replay.setDemand('Hold');
    await replay.idle();
    const before = sent.length;
    expect(sent.every(({ value }) => value >= 1_000_000)).toBe(true);
    replay.setDemand('Serving');
    await running;
    expect(before).toBe(20);
    expect(sent.slice(20).every(({ value }) => value < 1_000_000)).toBe(true);
  });

  test('--requests with --loop ends after that many rows', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(100), maxRows: 30 });
    replay.setDemand('Serving');
    await replay.run();
    expect(sent).toHaveLength(30);
  });

  test('a refused request is an error by code and the run goes on', async () => {
    const { client } = fakeClient({ ok: false, code: 'http_503', message: '' });
    const { replay, seen } = aReplay({ client, plan: aPlan(3) });
    replay.setDemand('Serving');
    await replay.run();
    expect(seen.errors).toEqual(['http_503', 'http_503', 'http_503']);
  });

  test('a rate spreads the rows over time', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(6), rate: 50 });
    replay.setDemand('Serving');
    const startMs = performance.now();
    await replay.run();
    expect(sent).toHaveLength(6);
    expect(performance.now() - startMs).toBeGreaterThan(80);
  });

  test('stop ends it before the stream does', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(100_000) });
    replay.setDemand('Serving');
    const running = replay.run();
    await eventually(() => {
      expect(sent.length).toBeGreaterThan(10);
    });
    replay.stop();
    await running;
    expect(sent.length).toBeLessThan(100_000);
  });
});

describe('frames', () => {
  /** Three clips of equal length, one after the other. */
  const clipsOf = (rows: number): string[] =>
    Array.from({ length: rows }, (_, i) => `clip${Math.floor((3 * i) / rows)}`);

  test('of a clip are sent one after the other, those of several side by side', async () => {
    const { client, sent, flight } = fakeClient();
    const plan = aPlan(60, 0, clipsOf(60));
    const { replay, seen } = aReplay({ client, plan, concurrency: 16 });
    replay.setDemand('Serving');
    await replay.run();
    expect([flight.most, flight.mostOfClip, seen.answers]).toEqual([3, 1, 60]);
    for (const clip of ['clip0', 'clip1', 'clip2']) {
      const values = sent.filter((one) => one.clip === clip).map(({ value }) => value);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values).toHaveLength(20);
    }
  });

  test('that fail leave the next of their clip its turn', async () => {
    const { client, sent } = fakeClient({ ok: false, code: 'http_503', message: '' });
    const { replay, seen } = aReplay({ client, plan: aPlan(6, 0, clipsOf(6)) });
    replay.setDemand('Serving');
    await replay.run();
    expect([sent.length, seen.errors.length]).toEqual([6, 6]);
  });

  test('that are asked for again in plain slices name no clip', async () => {
    const { client, sent } = fakeClient();
    const { replay } = aReplay({ client, plan: aPlan(600, 0, clipsOf(600)) });
    replay.setDemand('ServingWithSlices');
    await replay.run();
    const plain = sent.filter(({ mode }) => mode === 'backbone');
    expect(plain.map(({ clip }) => clip)).toEqual(plain.map(() => null));
    expect(plain).toHaveLength(100);
    expect(sent.filter(({ mode }) => mode === 'auto').every(({ clip }) => clip !== null)).toBe(
      true,
    );
  });
});

describe('latency slices', () => {
  test('send the same rows plain and with exits, in ABBA order, alone in their windows', async () => {
    const { client, sent, flight } = fakeClient();
    const { replay, seen } = aReplay({ client, plan: aPlan(500), concurrency: 1 });
    replay.setDemand('ServingWithSlices');
    await replay.run();
    const slice = sent.slice(400, 600);
    const values = (from: number, to: number): number[] =>
      slice.slice(from, to).map(({ value }) => value);
    expect(slice.map(({ mode }) => mode)).toEqual([
      ...new Array<string>(50).fill('backbone'),
      ...new Array<string>(100).fill('auto'),
      ...new Array<string>(50).fill('backbone'),
    ]);
    expect(values(50, 150)).toEqual([...values(0, 50), ...values(150, 200)]);
    expect(flight.most).toBe(1);
    // Before and after each plain slice.
    expect(seen.closes).toBe(4);
    expect([seen.optedOut, seen.answers, replay.sentRows]).toEqual([100, 500, 500]);
    expect(replay.latencies.backboneMs).toHaveLength(100);
    expect(replay.latencies.layercacheMs).toHaveLength(100);
  });
});

test('a freed place goes to who waits longest', async () => {
  const slots = createSlots(1);
  const order: string[] = [];
  await slots.acquire();
  const first = slots.acquire().then(() => order.push('first'));
  const second = slots.acquire().then(() => order.push('second'));
  slots.release();
  await first;
  slots.release();
  await second;
  expect([order, slots.busy]).toEqual([['first', 'second'], 1]);
});
