// Server processes and signals: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { expect, test } from 'vitest';
import { countOutcomes, startOpenLoop } from '../../bench/open-loop.ts';
import { eventually } from '../../support/eventually.ts';
import { residualServers } from '../../support/residual-servers.ts';
import { linesOf, oneRow, stateOf, whenReady } from '../../support/served-process.ts';
import type { StartedServer } from '../../support/server-process.ts';
import { send } from '../../support/test-server.ts';

const start = residualServers();
const READY_MS = 40_000;

async function saying(server: StartedServer, message: string): Promise<void> {
  await eventually(() => {
    expect(linesOf(server).map(({ msg }) => msg)).toContain(message);
  }, 20_000);
}

test('SIGTERM under open-loop load over many kept connections: none fails, and all of them are told to close', async () => {
  const server = start({ LAYERCACHE_DRAIN_DELAY: '5s' });
  const { dataPort: port, adminPort, metricsPort: metrics } = await whenReady(server, READY_MS);
  const body = Buffer.from(JSON.stringify(oneRow(await stateOf(adminPort), () => 0.5)));
  const path = '/v2/models/digits/infer';
  const messages = [{ path, headers: { 'content-type': 'application/json' }, body }];
  // Two and a half seconds: the schedule ends while the delay still runs, as a Service stops sending once the pod is not ready.
  const plan = { port, messages, seed: 21, ratePerSecond: 200, requests: 500, connections: 40 };
  const load = await startOpenLoop(plan);
  await eventually(async () => {
    const page = (await send(metrics, '/metrics')).body.toString();
    const answered = /^layercache_requests_total\{(?=.*protocol="v2").*code="ok".*\} (\d+)$/m.exec(
      page,
    )?.[1];
    expect(Number(answered)).toBeGreaterThan(60);
  });
  server.child.kill('SIGTERM');
  await saying(server, 'leaving');
  expect((await send(metrics, '/readyz')).status).toBe(503);
  const report = await load.done;
  expect(countOutcomes(report)).toEqual({ 200: 500 });
  // The rest of the load went over connections of one request each.
  expect(report.closing).toBeGreaterThan(100);
  expect(report.connectionsOpened).toBeGreaterThan(100);
  expect(await server.code).toBe(0);
  expect(linesOf(server).map(({ msg }) => msg)).toContain('ended');
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a second signal, %s, ends it at once',
  async (signal) => {
    const server = start({ LAYERCACHE_DRAIN_DELAY: '10m' });
    await whenReady(server, READY_MS);
    server.child.kill('SIGTERM');
    await saying(server, 'leaving');
    server.child.kill(signal);
    expect(await server.code).toBe(1);
    expect(linesOf(server).map(({ msg }) => msg)).not.toContain('ended');
  },
);
