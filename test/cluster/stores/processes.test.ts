// From a trainer process to a server process by way of a real S3 server. Bundles come first: node operator/bundle/bundle.mjs
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Acknowledgement } from '../../../crds/wire/acknowledgement.ts';
import type { Policy } from '../../../crds/wire/policy.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { createAdminClient } from '../../../operator/fleet/admin-client.ts';
import { verifyBundle } from '../../../operator/fleet/pull-bundle.ts';
import { pullTrainerState, type TrainerState } from '../../../operator/fleet/trainer-client.ts';
import { eventually } from '../../support/eventually.ts';
import { sendLearnableRows } from '../../support/learnable-rows.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { stateOf, whenReady } from '../../support/served-process.ts';
import { spawnServer, type StartedServer } from '../../support/server-process.ts';
import { GOOD_CERTIFICATE, aPolicy, send } from '../../support/test-server.ts';
import { startStore, whyNoStore, type StoreServer } from './store-server.ts';
import { mountFiles } from '../../support/mount-files.ts';

const TRAINER = fileURLToPath(new URL('../../../dist/bundle/trainer.mjs', import.meta.url));
const ROWS = 320;

const obstacle = await whyNoStore('s3');

describe.skipIf(obstacle !== null)('heads on their way through a store', () => {
  let dir: string;
  let file: ModelFile;
  let store: StoreServer;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'layercache-heads-'));
    file = await modelFile(residualNet(), { labels: ['a', 'b', 'c'] });
    store = await startStore('s3', join(dir, 'store'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  });
  afterAll(async () => {
    await store.stop();
    await file.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const mount = (name: string, files: Readonly<Record<string, string>>): string =>
    mountFiles(dir, name, files);

  function access(secret = store.secret): Record<string, string> {
    const name = createHash('sha256').update(JSON.stringify(secret)).digest('hex');
    return {
      LAYERCACHE_STORE_CREDENTIALS_DIR: mount(`secret-${name}`, secret),
      LAYERCACHE_STORE_CA_BUNDLE_DIR: mount('ca', { 'ca.crt': store.ca }),
      LAYERCACHE_ALLOWED_HOSTS: `localhost:${store.port}`,
    };
  }

  function startServer(cache: string): StartedServer {
    const started = spawnServer({
      LAYERCACHE_BACKBONE_URI: file.path,
      LAYERCACHE_CACHE_DIR: join(dir, cache),
      LAYERCACHE_HEAD_STORE: store.uri,
      ...access(),
    });
    children.push(started.child);
    return started;
  }

  async function apply(adminPort: number, policy: Policy): Promise<Acknowledgement> {
    const body = JSON.stringify(policy);
    const answer = await send(adminPort, '/v1/policy', { method: 'PUT', body });
    return JSON.parse(answer.body.toString()) as Acknowledgement;
  }

  function startTrainer(server: number, secret = store.secret) {
    const job = {
      servers: [`http://127.0.0.1:${server}`],
      ...{ part: 'long', after: [], seed: 1, parent: null, trainerVersion: 'test' },
      settings: {
        ...{ budget: 0.5, maxActiveExits: 2, minSaving: 0, maxOverhead: 1 },
        maxBundleBytes: 2 ** 26,
      },
      store: { uri: store.uri },
    };
    const child = spawn(process.execPath, [TRAINER], {
      env: {
        LAYERCACHE_TRAINER_JOB: JSON.stringify(job),
        LAYERCACHE_ADMIN_PORT: '0',
        LAYERCACHE_BIND_HOST: '127.0.0.1',
        LAYERCACHE_TRAINER_THREADS: '1',
        ...access(secret),
      },
    });
    children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    }
    const port = eventually(() => {
      const line = output.split('\n').find((text) => text.includes('"listening"')) ?? '';
      return (JSON.parse(line) as { readonly adminPort: number }).adminPort;
    }, 60_000);
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { port, exit, output: () => output };
  }

  async function endOf(port: number): Promise<TrainerState> {
    const client = createAdminClient(`http://127.0.0.1:${port}`);
    const state = await eventually(async () => {
      const pulled = await pullTrainerState(client);
      if (!pulled.ok) throw new Error(pulled.message);
      expect(['Done', 'Failed']).toContain(pulled.value.state);
      return pulled.value;
    }, 100_000);
    client.close();
    return state;
  }

  async function collecting(): Promise<{
    dataPort: number;
    adminPort: number;
    state: ServerState;
  }> {
    const { dataPort, adminPort } = await whenReady(startServer('cache'));
    const state = await stateOf(adminPort);
    const exits = state.cuts
      .slice(0, 2)
      .map(({ tensor }, i) => ({ name: `exit-${i}`, tensor, mode: 'Active' as const }));
    const { digest: backboneDigest } = state.backbone;
    await apply(adminPort, aPolicy({ backboneDigest, exits, exitsEnabled: false, auditRate: 1 }));
    await sendLearnableRows(dataPort, state, ROWS);
    return { dataPort, adminPort, state };
  }

  test('a trainer stores what it trained; a server fetches it by its policy, and keeps it when the store is away', async () => {
    const { adminPort, state } = await collecting();
    const trainer = startTrainer(adminPort);
    const told = await endOf(await trainer.port);
    expect(told, trainer.output()).toMatchObject({ state: 'Done', outcome: 'Trained' });
    const { digest: headRevision, uri: bundleUri } = told;
    expect(bundleUri).toBe(`${store.uri}/${headRevision!.slice('sha256:'.length)}`);

    const backboneDigest = state.backbone.digest;
    const exits = state.cuts
      .slice(0, 2)
      .map(({ tensor }, i) => ({ name: `exit-${i}`, tensor, mode: 'Active' as const }));
    const certificate = { ...GOOD_CERTIFICATE, backboneDigest };
    const stable = { lambdaIndex: 60, certificate, activeExits: [], bundleUri: bundleUri! };
    const policy = aPolicy({
      ...{ revision: 2, backboneDigest, exits },
      stable: { headRevision: headRevision!, ...stable },
    });
    const other = await whenReady(startServer('other-cache'));
    const waiting = await apply(other.adminPort, policy);
    expect(waiting).toMatchObject({ result: 'Rejected', reason: 'HeadMissing' });
    expect(waiting.message).toContain(bundleUri);
    await eventually(async () => {
      const { acknowledgement } = await stateOf(other.adminPort);
      expect(acknowledgement).toMatchObject({ revision: 2, headRevisions: [headRevision] });
    }, 30_000);
    const path = `/v1/heads/${headRevision!.slice('sha256:'.length)}`;
    const given = await send(other.adminPort, path);
    expect(verifyBundle(given.body, headRevision!).ok).toBe(true);

    await store.stop();
    children.splice(0).forEach((child) => child.kill('SIGKILL'));
    const again = await whenReady(startServer('other-cache'));
    expect(await apply(again.adminPort, policy)).toMatchObject({ result: 'Applied', reason: '' });
    const missing = { ...policy, revision: 3 };
    const absent = await whenReady(startServer('empty-cache'));
    expect(await apply(absent.adminPort, missing)).toMatchObject({ reason: 'HeadMissing' });
    await eventually(async () => {
      const { missingHeads } = await stateOf(absent.adminPort);
      expect(missingHeads).toMatchObject([{ headRevision, reason: 'BundleMissing' }]);
      expect(missingHeads?.[0]?.message).toMatch(/ECONNREFUSED/);
    }, 30_000);
    store = await startStore('s3', join(dir, 'store'));
  }, 240_000);

  test('a trainer that the store refuses keeps its heads to itself, says so, and ends with the code for it', async () => {
    const { adminPort } = await collecting();
    const trainer = startTrainer(adminPort, store.wrongSecret);
    const port = await trainer.port;
    const told = await endOf(port);
    expect(told).toMatchObject({ state: 'Failed', failure: 'UploadFailed', digest: null });
    expect(told.message).toMatch(/cannot be stored:.*403.*heads\.store\.s3\.pushSecretName/);
    expect(trainer.output() + JSON.stringify(told)).not.toMatch(/another-password/);
    await send(port, '/v1/done', { method: 'POST' });
    expect(await trainer.exit).toBe(3);
  }, 240_000);
});
