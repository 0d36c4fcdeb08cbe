// Server processes and signals: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { countOutcomes, startOpenLoop } from '../../bench/open-loop.ts';
import { eventually } from '../../support/eventually.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { spawnServer, type StartedServer } from '../../support/server-process.ts';
import { send } from '../../support/test-server.ts';

let file: ModelFile;
const running: StartedServer[] = [];
beforeAll(async () => {
  file = await modelFile(residualNet());
});
afterAll(() => file.remove());
afterEach(async () => {
  for (const { child, code } of running.splice(0)) {
    child.kill('SIGKILL');
    await code;
  }
});

type Line = Readonly<Record<string, unknown>>;

function linesOf({ stdout }: StartedServer): Line[] {
  return stdout()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

async function start(environment: Record<string, string>): Promise<StartedServer & { line: Line }> {
  const started = spawnServer({ LAYERCACHE_BACKBONE_URI: file.path, ...environment });
  running.push(started);
  const line = await eventually(() => {
    const lines = linesOf(started);
    if (!lines.some(({ msg }) => msg === 'ready')) throw new Error(started.stderr());
    return lines.find(({ msg }) => msg === 'listening')!;
  }, 40_000);
  return { ...started, line };
}

async function saying(server: StartedServer, message: string): Promise<void> {
  await eventually(() => {
    expect(linesOf(server).map(({ msg }) => msg)).toContain(message);
  }, 20_000);
}

test('SIGTERM under open-loop load over many kept connections: none fails, and all of them are told to close', async () => {
  const server = await start({ LAYERCACHE_DRAIN_DELAY: '5s' });
  const [port, metrics] = [Number(server.line.dataPort), Number(server.line.metricsPort)];
  const state = JSON.parse(
    (await send(Number(server.line.adminPort), '/v1/state')).body.toString(),
  ) as { backbone: { inputs: { name: string; shape: number[] }[] } };
  const [input] = state.backbone.inputs;
  const shape = [1, ...input!.shape.slice(1)];
  const data = new Array<number>(shape.reduce((all, extent) => all * extent, 1)).fill(0.5);
  const body = Buffer.from(
    JSON.stringify({ inputs: [{ name: input!.name, shape, datatype: 'FP32', data }] }),
  );
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
    const server = await start({ LAYERCACHE_DRAIN_DELAY: '10m' });
    server.child.kill('SIGTERM');
    await saying(server, 'leaving');
    server.child.kill(signal);
    expect(await server.code).toBe(1);
    expect(linesOf(server).map(({ msg }) => msg)).not.toContain('ended');
  },
);
