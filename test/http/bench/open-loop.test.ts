// The load generator against small servers of its own: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createServer as createNetServer,
  type AddressInfo,
  type Server as NetServer,
} from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  countOutcomes,
  lagP99Ms,
  latenciesOf,
  startOpenLoop,
  type OpenLoopPlan,
  type OpenLoopReport,
} from '../../bench/open-loop.ts';
import { quantile } from '../../bench/median.ts';
import { poissonSchedule } from '../../bench/poisson-schedule.ts';
import { eventually } from '../../support/eventually.ts';

const servers: (Server | NetServer)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function portOf(server: Server | NetServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

const serve = (listener: RequestListener): Promise<number> => portOf(createServer(listener));

function planFor(port: number, more: Partial<OpenLoopPlan> = {}): OpenLoopPlan {
  const body = Buffer.from('{"a":1}');
  const messages = [{ path: '/x', headers: { 'content-type': 'application/json' }, body }];
  return { port, seed: 7, ratePerSecond: 500, requests: 200, messages, ...more };
}

async function drive(plan: OpenLoopPlan): Promise<OpenLoopReport> {
  return (await startOpenLoop(plan)).done;
}

test('equal seeds give equal schedules, other seeds others, and the rate is the rate', () => {
  const plan = { seed: 3, ratePerSecond: 200, requests: 20_000 };
  const times = poissonSchedule(plan);
  expect(poissonSchedule(plan)).toEqual(times);
  expect(poissonSchedule({ ...plan, seed: 4 })).not.toEqual(times);
  const gaps = [...times].map((at, i) => at - (times[i - 1] ?? 0));
  // Exponential gaps: mean and standard deviation are both 5 ms; three standard errors of 20,000.
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(Math.abs(mean - 5)).toBeLessThan(0.11);
  expect(Math.abs(deviation - 5)).toBeLessThan(0.22);
});

test('every request arrives whole, is answered once, and headers are counted', async () => {
  const bodies: string[] = [];
  const port = await serve((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      bodies.push(`${request.method ?? ''} ${request.url ?? ''} ${text}`);
      const status = bodies.length % 4 === 0 ? 429 : 200;
      response.writeHead(status, { 'layercache-exit': 'early', 'content-length': 2 });
      response.end('ok');
    });
  });
  const report = await drive(planFor(port, { countHeader: 'layercache-exit', connections: 3 }));
  expect(new Set(bodies)).toEqual(new Set(['POST /x {"a":1}']));
  expect(countOutcomes(report)).toEqual({ 200: 150, 429: 50 });
  expect(report.headerValues).toEqual({ early: 200 });
  expect(latenciesOf(report, 429)).toHaveLength(50);
  expect(report.connectionsOpened).toBeGreaterThanOrEqual(3);
  expect(report.scheduledMs).toEqual(poissonSchedule(planFor(port)));
  expect(lagP99Ms(report)).toBeGreaterThanOrEqual(0);
});

test('a stalled server does not hold sends up, and its stall is in the latency of all that came meanwhile', async () => {
  const waiting: (() => void)[] = [];
  const port = await serve((request, response) => {
    request.resume();
    waiting.push(() => response.writeHead(200, { 'content-length': 0 }).end());
  });
  const running = await startOpenLoop(planFor(port));
  await eventually(() => {
    expect(waiting).toHaveLength(200);
  });
  for (const answer of waiting) answer();
  const report = await running.done;
  expect(countOutcomes(report)).toEqual({ 200: 200 });
  expect(report.mostInFlight).toBe(200);
  expect(report.connectionsOpened).toBe(200);
  // The first waited for the whole schedule, the last for nothing of it.
  const span = report.scheduledMs[199]! - report.scheduledMs[0]!;
  expect(report.latencyMs[0]).toBeGreaterThan(span);
  expect(quantile([...report.latencyMs], 0.5)).toBeGreaterThan(span / 4);
});

test('connections that answers close are not used again, cut ones are failures by name', async () => {
  let answers = 0;
  const port = await serve((request, response) => {
    request.resume();
    answers += 1;
    if (answers > 150) request.socket.destroy();
    else response.writeHead(200, { connection: 'close', 'content-length': 0 }).end();
  });
  const report = await drive(planFor(port));
  const outcomes = countOutcomes(report);
  expect(outcomes['200']).toBe(150);
  expect(report.closing).toBe(150);
  expect(report.connectionsOpened).toBe(200);
  expect((outcomes.ended ?? 0) + (outcomes.ECONNRESET ?? 0)).toBe(50);
});

test('answers in pieces, and answers that end with their connection, are read', async () => {
  const port = await portOf(
    createNetServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write('HTTP/1.1 503 Servi');
        setImmediate(() => {
          socket.write('ce Unavailable\r\nConnection: close\r\n\r\nlater');
          setImmediate(() => socket.end('!'));
        });
      });
    }),
  );
  const report = await drive(planFor(port, { requests: 50 }));
  expect(countOutcomes(report)).toEqual({ 503: 50 });
});

test('answers in chunks are read to their last one', async () => {
  const port = await serve((request, response) => {
    request.resume();
    response.writeHead(200);
    response.write('one');
    setImmediate(() => response.end('0\r\n\r\n'));
  });
  const report = await drive(planFor(port, { requests: 50, ratePerSecond: 100 }));
  expect(countOutcomes(report)).toEqual({ 200: 50 });
  // Kept connections: an answer that was taken for whole too soon would leave its rest to the next one.
  expect(report.connectionsOpened).toBeLessThan(50);
});

test('stop ends the schedule and lets what is under way be answered', async () => {
  let asked = 0;
  const port = await serve((request, response) => {
    request.resume();
    asked += 1;
    setTimeout(() => response.writeHead(200, { 'content-length': 0 }).end(), 20);
  });
  const running = await startOpenLoop(planFor(port, { requests: 1_000_000, ratePerSecond: 200 }));
  await eventually(() => {
    expect(asked).toBeGreaterThan(20);
  });
  running.stop();
  const report = await running.done;
  expect(countOutcomes(report)).toEqual({ 200: asked });
  expect(report.latencyMs).toHaveLength(asked);
});

test('nobody there is a failure of each request, not of the run', async () => {
  const port = await serve(() => undefined);
  servers.pop()?.close();
  expect(countOutcomes(await drive(planFor(port, { requests: 20 })))).toEqual({ ECONNREFUSED: 20 });
});
