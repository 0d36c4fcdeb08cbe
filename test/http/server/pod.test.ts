// Server processes as pods are started: environment and mounted directories of a rendered pod. `npm run build` comes first.
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PodState } from '../../../crds/wire/loading-state.ts';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { createKeptSockets } from '../../../operator/fleet/kept-sockets.ts';
import { createPodClients } from '../../../operator/fleet/pod-client.ts';
import { pullEvidence } from '../../../operator/fleet/pull-evidence.ts';
import { pullPodState } from '../../../operator/fleet/pull-state.ts';
import { pushPolicy } from '../../../operator/fleet/push-policy.ts';
import { ROOT_KEY, SERVICE, mountAdminKeys } from '../../support/admin-keys.ts';
import { eventually } from '../../support/eventually.ts';
import { startModelHost, type ModelHost } from '../../support/model-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { spawnServer } from '../../support/server-process.ts';
import { aPolicy, send } from '../../support/test-server.ts';

const START_MS = 40_000;

interface Pod {
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  readonly lines: () => Readonly<Record<string, unknown>>[];
  readonly ports: { readonly data: number; readonly admin: number; readonly metrics: number };
  readonly admin: AdminClient;
}

const keys = mountAdminKeys();
let file: ModelFile;
let digest = '';
let host: ModelHost;
/** What the host answers at /model.onnx. */
let served: () => { readonly status: number; readonly body: Buffer };
let dir = '';
const pods: Pod[] = [];

beforeAll(async () => {
  file = await modelFile(residualNet());
  const model = readFileSync(file.path);
  digest = `sha256:${createHash('sha256').update(model).digest('hex')}`;
  dir = mkdtempSync(join(tmpdir(), 'layercache-pod-'));
  host = await startModelHost(
    (request, response) => {
      const isModel = request.url === '/model.onnx';
      const { status, body } = isModel ? served() : { status: 404, body: Buffer.alloc(0) };
      response.writeHead(status).end(body);
    },
    { name: '127.0.0.1', secure: false },
  );
  served = () => ({ status: 200, body: model });
});
afterEach(async () => {
  for (const { child, code, admin } of pods.splice(0)) {
    admin.close();
    child.kill('SIGKILL');
    await code;
  }
});
afterAll(async () => {
  await host.close();
  keys.remove();
  rmSync(dir, { recursive: true, force: true });
  await file.remove();
});

function folder(name: string): string {
  const path = join(dir, `${name}-${pods.length}-${host.asked.length}`);
  mkdirSync(path, { recursive: true });
  return path;
}

async function start(environment: Record<string, string> = {}): Promise<Pod> {
  const { child, code, stdout, stderr } = spawnServer({
    LAYERCACHE_SERVICE: 'vision',
    LAYERCACHE_NAMESPACE: 'ml',
    LAYERCACHE_POD_NAME: 'vision-0',
    LAYERCACHE_POD_UID: 'uid-0',
    LAYERCACHE_BACKBONE_URI: host.url('/model.onnx'),
    LAYERCACHE_BACKBONE_DIGEST: digest,
    LAYERCACHE_ALLOWED_HOSTS: '*,127.0.0.1',
    LAYERCACHE_ADMIN_DIR: keys.dir,
    LAYERCACHE_POLICY_DIR: folder('policy'),
    LAYERCACHE_CACHE_DIR: folder('cache'),
    ...environment,
  });
  const lines = () =>
    stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const listening = await eventually(() => {
    const line = lines().find(({ msg }) => msg === 'listening');
    if (line === undefined) throw new Error(`not listening: ${stderr()}`);
    return line;
  }, START_MS);
  const ports = {
    data: Number(listening.dataPort),
    admin: Number(listening.adminPort),
    metrics: Number(listening.metricsPort),
  };
  const admin = createPodClients(ROOT_KEY, SERVICE, systemClock, createKeptSockets(16)).open({
    host: '127.0.0.1',
    port: ports.admin,
  });
  const pod = { child, code, lines, ports, admin };
  pods.push(pod);
  return pod;
}

async function stateOf({ admin }: Pod): Promise<PodState> {
  const state = await pullPodState(admin);
  if (!state.ok) throw new Error(state.message);
  return state.value;
}

/** [startup, readiness, liveness] */
async function probes({ ports }: Pod): Promise<number[]> {
  const paths = ['/startupz', '/readyz', '/livez'];
  return Promise.all(paths.map(async (path) => (await send(ports.metrics, path)).status));
}

async function isReady(pod: Pod): Promise<void> {
  await eventually(async () => {
    expect(await probes(pod)).toEqual([200, 200, 200]);
  }, START_MS);
}

test('a pod fetches its backbone, becomes ready, and log lines say whose it is', async () => {
  const pod = await start();
  await isReady(pod);
  expect(await stateOf(pod)).toMatchObject({
    loaded: true,
    state: { podUid: 'uid-0', ready: true, backbone: { digest }, companions: [] },
  });
  expect(pod.lines()[0]).toMatchObject({ service: 'vision', namespace: 'ml', pod: 'vision-0' });
});

describe('a pod that cannot serve stays up, not ready, and says why', () => {
  const failures: [string, () => Record<string, string>, string, RegExp][] = [
    [
      'a URI that leads nowhere',
      () => ({ LAYERCACHE_BACKBONE_URI: host.url('/nowhere.onnx') }),
      'BackboneFetchFailed',
      /answers 404: correct backbone.uri/,
    ],
    [
      'a scheme that is not read',
      () => ({ LAYERCACHE_BACKBONE_URI: 's3://bucket/model' }),
      'BackboneFetchFailed',
      /s3:\/\//,
    ],
    [
      'a claim that is not mounted',
      () => ({ LAYERCACHE_BACKBONE_URI: 'pvc://models/m.onnx' }),
      'BackboneFetchFailed',
      /pvc:\/\/models\/m.onnx/,
    ],
    [
      'a file that is not in the image',
      () => ({ LAYERCACHE_BACKBONE_URI: 'file:///nowhere/m.onnx' }),
      'BackboneFetchFailed',
      /\/nowhere\/m.onnx/,
    ],
    [
      'another digest',
      () => ({ LAYERCACHE_BACKBONE_DIGEST: `sha256:${'0'.repeat(64)}` }),
      'BackboneDigestMismatch',
      /has digest sha256:/,
    ],
    [
      'another digest of a local file',
      () => ({
        LAYERCACHE_BACKBONE_URI: file.path,
        LAYERCACHE_BACKBONE_DIGEST: `sha256:${'0'.repeat(64)}`,
      }),
      'BackboneDigestMismatch',
      /expected sha256:000/,
    ],
    [
      'another format',
      () => ({ LAYERCACHE_BACKBONE_FORMAT: 'TFJSGraphModel' }),
      'BackboneLoadFailed',
      /format is TFJSGraphModel, but .* is ONNX/,
    ],
    [
      'an engine that is not in the image',
      () => ({ LAYERCACHE_ENGINE: 'TFJSGPU' }),
      'EngineUnavailable',
      /engine TFJSGPU is not part of this image/,
    ],
    [
      'an output that does not exist',
      () => ({ LAYERCACHE_OUTPUT_NAME: 'nothing' }),
      'BackboneLoadFailed',
      /no output nothing/,
    ],
  ];

  test.each(failures)('%s', async (...row) => {
    const [, environment, code, message] = row;
    const pod = await start(environment());
    const failure = await eventually(async () => {
      const { loaded, state } = await stateOf(pod);
      if (loaded || state.loading.failure === null) throw new Error('no failure yet');
      return state.loading.failure;
    }, START_MS);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    // Started, so that no probe restarts it; not ready; alive.
    expect(await probes(pod)).toEqual([200, 503, 200]);
    expect(
      (await send(pod.ports.data, '/v2/models/digits/infer', { method: 'POST', body: '{}' }))
        .status,
    ).toBe(503);
    expect((await pullEvidence(pod.admin, 0, false)).ok).toBe(false);
    expect(pod.child.exitCode).toBeNull();
    expect(pod.lines()).toContainEqual(
      expect.objectContaining({ msg: 'backbone not loaded', code, component: 'backbone' }),
    );
    pod.child.kill('SIGTERM');
    expect(await pod.code).toBe(0);
  });

  test('and becomes ready by itself once its trouble is gone', async () => {
    const good = served;
    served = () => ({ status: 503, body: Buffer.alloc(0) });
    const pod = await start();
    await eventually(async () => {
      expect(await stateOf(pod)).toMatchObject({
        loaded: false,
        state: { loading: { failure: { code: 'BackboneFetchFailed' } } },
      });
    }, START_MS);
    served = good;
    await isReady(pod);
  });
});

test('a container that starts again takes the backbone from its cache, also when the host is gone', async () => {
  const cache = folder('kept');
  const first = await start({ LAYERCACHE_CACHE_DIR: cache });
  await isReady(first);
  first.child.kill('SIGKILL');
  const good = served;
  served = () => ({ status: 500, body: Buffer.alloc(0) });
  await isReady(await start({ LAYERCACHE_CACHE_DIR: cache }));
  served = good;
});

test('a companion that is not there is reported by name, and the backbone serves', async () => {
  const companions = JSON.stringify([{ name: 'small', uri: 'file:///nowhere/small.onnx' }]);
  const pod = await start({ LAYERCACHE_COMPANIONS: companions });
  await isReady(pod);
  expect((await stateOf(pod)).state.companions).toMatchObject([
    { name: 'small', code: 'CompanionLoadFailed' },
  ]);
});

test('a policy comes by the mounted directory, and a higher one by push; the mount never takes it back', async () => {
  const policyDir = folder('mounted');
  const publish = (revision: number): void => {
    const name = `..${revision}`;
    mkdirSync(join(policyDir, name));
    const policy = aPolicy({ model: 'digits', backboneDigest: digest, exits: [], revision });
    writeFileSync(join(policyDir, name, 'policy.json'), JSON.stringify(policy));
    symlinkSync(name, join(policyDir, '..next'));
    renameSync(join(policyDir, '..next'), join(policyDir, '..data'));
  };
  publish(1);
  const pod = await start({ LAYERCACHE_POLICY_DIR: policyDir });
  await isReady(pod);
  const revision = async (): Promise<number> => {
    const { loaded, state } = await stateOf(pod);
    return loaded ? state.acknowledgement.revision : -1;
  };
  expect(await revision()).toBe(1);
  publish(2);
  await eventually(async () => {
    expect(await revision()).toBe(2);
  }, 10_000);
  const pushed = await pushPolicy(
    pod.admin,
    aPolicy({ model: 'digits', backboneDigest: digest, exits: [], revision: 4 }),
  );
  expect(pushed).toMatchObject({ ok: true, value: { result: 'Applied', revision: 4 } });
  publish(3);
  await eventually(async () => {
    const evidence = await pullEvidence(pod.admin, 0, false);
    const line = pod.lines().filter(({ msg }) => msg === 'policy applied');
    expect(evidence).toMatchObject({
      ok: true,
      value: { answer: { acknowledgement: { revision: 4 } } },
    });
    expect(line).toHaveLength(3);
  });
});

test('a drain fails no request: the pod serves on for its delay, then finishes what is under way', async () => {
  const pod = await start({ LAYERCACHE_DRAIN_DELAY: '1s' });
  await isReady(pod);
  const { state, loaded } = await stateOf(pod);
  const [input] = loaded ? state.backbone.inputs : [];
  const shape = [1, ...input!.shape.slice(1)];
  const data = new Array<number>(shape.reduce((all, extent) => all * extent, 1)).fill(0.5);
  const body = JSON.stringify({ inputs: [{ name: input!.name, shape, datatype: 'FP32', data }] });
  const outcomes: (number | string)[] = [];
  let untilMs = Infinity;
  /** As a Service does: stops sending a while after the pod is not ready any more. */
  const client = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const answer = await send(pod.ports.data, '/v2/models/digits/infer', {
        method: 'POST',
        body,
      }).catch((error: unknown) => String(error));
      outcomes.push(typeof answer === 'string' ? answer : answer.status);
    }
  };
  const running = Array.from({ length: 4 }, client);
  await eventually(() => {
    expect(outcomes.length).toBeGreaterThan(20);
  });
  pod.child.kill('SIGTERM');
  await eventually(async () => {
    expect((await probes(pod))[1]).toBe(503);
  });
  untilMs = performance.now() + 600;
  await Promise.all(running);
  expect(new Set(outcomes)).toEqual(new Set([200]));
  expect(await pod.code).toBe(0);
  expect(pod.lines().map(({ msg }) => msg)).toContain('ended');
});
