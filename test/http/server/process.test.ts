// Server processes with the real engine: `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { eventually } from '../../support/eventually.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { residualServers } from '../../support/residual-servers.ts';
import {
  describedModel,
  hostPidOf,
  oneRow,
  stateOf,
  whenReady,
} from '../../support/served-process.ts';
import { GOOD_CERTIFICATE, aPolicy, digestOf, send } from '../../support/test-server.ts';

const start = residualServers({ labels: ['a', 'b', 'c'] });
const READY_MS = 30_000;

interface Answer {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}

async function ask(dataPort: number, body: string, mode = 'auto'): Promise<Answer> {
  const answer = await send(dataPort, '/v2/models/digits/infer', {
    method: 'POST',
    headers: { 'layercache-mode': mode },
    body,
  });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.body.toString()) as Answer;
}

test('a real backbone answers, a real head answers early, and a dead engine host comes back', async () => {
  const server = start();
  const { dataPort, adminPort } = await whenReady(server, READY_MS);
  const state = await stateOf(adminPort);
  expect(state.backbone.labels).toEqual(['a', 'b', 'c']);
  const body = JSON.stringify(oneRow(state, Math.sin));
  const plain = await ask(dataPort, body);
  expect(plain.parameters.layercache_exit).toBe('backbone');

  const [cut] = state.cuts;
  const bytes = encodeHeadBundle(
    aBundle(describedModel(state), [{ tensor: cut!.tensor, intercept: 50 }]),
  );
  const headRevision = digestOf(bytes);
  const exit = `exit-${cut!.tensor}`;
  const put = await send(adminPort, `/v1/heads/${headRevision}`, { method: 'PUT', body: bytes });
  expect([put.status, put.body.toString()]).toEqual([201, expect.any(String)]);
  const { digest } = state.backbone;
  const policy = aPolicy({
    backboneDigest: digest,
    exits: [{ name: exit, tensor: cut!.tensor, mode: 'Active' }],
    stable: {
      headRevision,
      lambdaIndex: 60,
      certificate: { ...GOOD_CERTIFICATE, backboneDigest: digest },
      activeExits: [exit],
    },
  });
  const applied = await send(adminPort, '/v1/policy', {
    method: 'PUT',
    body: JSON.stringify(policy),
  });
  expect(JSON.parse(applied.body.toString())).toMatchObject({ result: 'Applied', reason: '' });
  expect((await ask(dataPort, body)).parameters.layercache_exit).toBe(exit);
  const whole = await ask(dataPort, body, 'backbone');
  expect(whole.outputs[0]?.data).toEqual(plain.outputs[0]?.data);

  process.kill(hostPidOf(server.child.pid!), 'SIGKILL');
  expect((await ask(dataPort, body)).parameters.layercache_policy).toBe('1.1');
  await eventually(async () => {
    expect((await ask(dataPort, body)).parameters.layercache_exit).toBe(exit);
  }, 20_000);
});

describe('the end', () => {
  test('SIGTERM: finishes, exits 0', async () => {
    const server = start();
    await whenReady(server, READY_MS);
    server.child.kill('SIGTERM');
    expect(await server.code).toBe(0);
    expect(server.stdout()).toMatch(/"msg":"ended"/);
  });

  test('a closed stdin ends it when it was started so', async () => {
    const server = start({ LAYERCACHE_EXIT_WITH_STDIN: 'true' });
    await whenReady(server, READY_MS);
    server.child.stdin!.end();
    expect(await server.code).toBe(0);
  });
});

describe('a start that fails says why in one paragraph', () => {
  test('all configuration problems at once, exit code 2', async () => {
    const server = start({
      LAYERCACHE_MODEL_NAME: 'no spaces please',
      LAYERCACHE_BACKBONE_URI: 'pvc://claim',
      LAYERCACHE_DATA_PORT: '70000',
      LAYERCACHE_SAMPLE_MEMORY: 'much',
    });
    expect(await server.code).toBe(2);
    const lines = server.stderr().trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'LAYERCACHE_MODEL_NAME',
      'LAYERCACHE_BACKBONE_URI',
      'LAYERCACHE_DATA_PORT',
      'LAYERCACHE_SAMPLE_MEMORY',
    ]);
  });

  test('a missing model, exit code 1', async () => {
    const server = start({ LAYERCACHE_BACKBONE_URI: '/nowhere/model.onnx' });
    expect(await server.code).toBe(1);
    expect(server.stderr().trim().split('\n')).toHaveLength(1);
    expect(server.stderr()).toMatch(/\/nowhere\/model.onnx/);
  });

  test('another digest, exit code 1', async () => {
    const server = start({ LAYERCACHE_BACKBONE_DIGEST: `sha256:${'0'.repeat(64)}` });
    expect(await server.code).toBe(1);
    expect(server.stderr()).toMatch(/DigestMismatch/);
  });

  test('a port in use, exit code 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const { port } = other.address() as AddressInfo;
    const server = start({ LAYERCACHE_DATA_PORT: String(port) });
    expect(await server.code).toBe(1);
    expect(server.stderr()).toMatch(new RegExp(`Port ${port} on 127.0.0.1 is in use`));
    other.close();
  });
});
