// Canaries in what a trainer is given: its key, and each way in which it may be known to a store, which tells back whatever it was told.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseServerState } from '../../../crds/wire/state.ts';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import {
  createAdminKeys,
  createTrainerKeys,
  pinOf,
} from '../../../operator/fleet/identity/identities.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { planKeySecret, type AdminKeys } from '../../../operator/plan/key-secret.ts';
import { openRecord } from '../../promises/open-record.ts';
import { eventually } from '../../support/eventually.ts';
import { sendLearnableRows } from '../../support/learnable-rows.ts';
import { startModelHost, type ModelHost } from '../../support/model-host.ts';
import { mountFiles } from '../../support/mount-files.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { whenReady } from '../../support/served-process.ts';
import { spawnServer, type StartedServer } from '../../support/server-process.ts';
import { aPolicy } from '../../support/test-server.ts';
import { aCanary, canaryOf, findCanaries, type Canary } from './canaries.ts';
import { echo } from './echoing-host.ts';

const recordCanaries = openRecord('canaries-of-trainers');

const TRAINER = fileURLToPath(new URL('../../../dist/bundle/trainer.mjs', import.meta.url));
const STORE = 's3://heads/v';
const OF = { serviceUid: 'of-a-test', generation: 1 };
const ROWS = 320;
/** A training of fewer ends without heads. */
const LEAST_ROWS = 200;
const ENDED = /"state":"(Done|Failed)"/;
const PEM_LINE = 1;

/** What a trainer has of a store: its environment, the files of its push Secret, and what of it the store must have heard. */
interface Given {
  readonly environment: Readonly<Record<string, string>>;
  readonly pushSecret: Readonly<Record<string, string>> | null;
  readonly canaries: readonly Canary[];
  readonly heard: string;
}

describe('secrets of a trainer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-trainer-secrets-'));
  const root = randomBytes(32);
  const ports = new Map<string, number>();
  const connections = createPodConnections(
    root,
    systemClock,
    ({ role = 'server' }) => ports.get(role) ?? 0,
  );
  const place = { uid: 'of-a-test', name: 'of-a-test', ip: '127.0.0.1', adminGeneration: 1 };
  /** The server stays; a trainer of an earlier test would go on telling the store. */
  const children: ChildProcess[] = [];
  const heard: string[] = [];
  const counts = { canaries: 0, outputs: 0, hits: 0 };
  let store: ModelHost;
  let model: ModelFile;
  let server: StartedServer;
  let admin: AdminClient;

  const mountKeys = (name: string, keys: AdminKeys): string =>
    mountFiles(folder, name, planKeySecret({ name }, keys).stringData ?? {});
  const keyCanary = (name: string, { privateKey }: AdminKeys): Canary =>
    canaryOf(name, privateKey.split('\n')[PEM_LINE] ?? '');
  const serverKeys = createAdminKeys(root, OF, systemClock.nowMs());
  const trainerKeys = createTrainerKeys(root, OF, systemClock.nowMs());

  beforeAll(async () => {
    store = await startModelHost(
      (request, response) => {
        heard.push(JSON.stringify(request.headers));
        request.on('data', (bytes: Buffer) => heard.push(bytes.toString('latin1')));
        echo(request, response);
      },
      { name: 'localhost' },
    );
    model = await modelFile(residualNet(), { labels: ['a', 'b', 'c'] });
    server = spawnServer({
      LAYERCACHE_BACKBONE_URI: model.path,
      LAYERCACHE_CACHE_DIR: join(folder, 'cache'),
      LAYERCACHE_ADMIN_DIR: mountKeys('server-keys', serverKeys),
      LAYERCACHE_LOG_LEVEL: 'debug',
    });
    children.push(server.child);
    const { dataPort, adminPort } = await whenReady(server);
    ports.set('server', adminPort);
    admin = connections.open(OF.serviceUid, place);
    const told = await eventually(() => textOf(admin, '/v1/state'), 30_000);
    const state = parseServerState(told);
    if (!state.ok) throw new Error(state.message);
    const { backbone, cuts } = state.value;
    const exits = cuts
      .slice(0, 1)
      .map(({ tensor }, i) => ({ name: `exit-${i}`, tensor, mode: 'Active' as const }));
    const policy = { backboneDigest: backbone.digest, exits, exitsEnabled: false, auditRate: 1 };
    const body = JSON.stringify(aPolicy(policy));
    await eventually(async () => {
      const applied = await admin.call({ method: 'PUT', path: '/v1/policy', body });
      expect(applied).toMatchObject({ ok: true, value: { status: 200 } });
    }, 30_000);
    await sendLearnableRows(dataPort, state.value, ROWS);
    await eventually(async () => {
      const after = parseServerState(await textOf(admin, '/v1/state'));
      expect(after.ok ? after.value.samples.long : 0).toBeGreaterThanOrEqual(LEAST_ROWS);
    }, 30_000);
  }, 120_000);
  afterEach(async () => {
    await Promise.all(children.splice(1).map(endOf));
  });
  afterAll(async () => {
    admin.close();
    await Promise.all(children.map(endOf));
    await Promise.all([store.close(), model.remove()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function endOf(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async function textOf(client: AdminClient, path: string): Promise<string> {
    const answer = await client.call({ method: 'GET', path });
    if (!answer.ok) throw new Error(answer.message);
    return Buffer.from(answer.value.body).toString();
  }

  function startTrainer({ environment, pushSecret }: Given): () => string {
    const job = {
      servers: [`https://127.0.0.1:${String(ports.get('server'))}`],
      serverPin: pinOf(root, { ...OF, role: 'server' }),
      ...{ part: 'long', after: [], seed: 1, parent: null, trainerVersion: 'test' },
      settings: {
        ...{ budget: 0.5, maxActiveExits: 1, minSaving: 0, maxOverhead: 1 },
        maxBundleBytes: 2 ** 26,
      },
      store: { uri: STORE },
    };
    const child = spawn(process.execPath, [TRAINER], {
      env: {
        LAYERCACHE_TRAINER_JOB: JSON.stringify(job),
        ...{ LAYERCACHE_ADMIN_PORT: '0', LAYERCACHE_BIND_HOST: '127.0.0.1' },
        ...{ LAYERCACHE_TRAINER_THREADS: '1', LAYERCACHE_LOG_LEVEL: 'debug' },
        LAYERCACHE_ADMIN_DIR: mountKeys('trainer-keys', trainerKeys),
        LAYERCACHE_STORE_CA_BUNDLE_DIR: mountFiles(folder, 'ca', { 'ca.crt': store.ca }),
        LAYERCACHE_ALLOWED_HOSTS: `localhost:${store.port}`,
        // Without a push Secret there is no mount, and the pod's own identity counts.
        ...(pushSecret === null
          ? {}
          : { LAYERCACHE_STORE_CREDENTIALS_DIR: mountFiles(folder, 'push', pushSecret) }),
        ...environment,
      },
    });
    children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    }
    return () => output;
  }

  /** Once the store has refused what it trained. */
  async function stateAtEnd(output: () => string): Promise<string> {
    const port = await eventually(() => {
      const line = output()
        .split('\n')
        .find((text) => text.includes('"listening"'));
      return (JSON.parse(line ?? '') as { readonly adminPort: number }).adminPort;
    }, 60_000);
    ports.set('trainer', port);
    const client = connections.open(OF.serviceUid, { ...place, role: 'trainer' });
    const text = await eventually(async () => {
      const told = await textOf(client, '/v1/state');
      expect(told).toMatch(ENDED);
      return told;
    }, 100_000);
    client.close();
    // A training that ended otherwise never fails: waiting on would only hide what it says.
    expect(text).toContain('"failure":"UploadFailed"');
    return text;
  }

  const token = aCanary('token');
  const file = (name: string): string =>
    join(mountFiles(folder, name, { token: token.value }), 'token');
  const endpoint = (): string => store.url('').replace(/\/$/, '');
  const secretKey = aCanary('secret key of the push Secret');

  test.each<readonly [string, () => Given]>([
    [
      'a token of its account for a role',
      () => ({
        environment: {
          AWS_WEB_IDENTITY_TOKEN_FILE: file('web-identity'),
          AWS_ROLE_ARN: 'arn:aws:iam::1:role/heads',
          AWS_ENDPOINT_URL: endpoint(),
        },
        pushSecret: null,
        canaries: [token],
        heard: token.value,
      }),
    ],
    [
      'a token for the agent of its node',
      () => ({
        environment: {
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file('agent'),
          AWS_CONTAINER_CREDENTIALS_FULL_URI: store.url('/keys'),
          AWS_ENDPOINT_URL: endpoint(),
        },
        pushSecret: null,
        canaries: [token],
        heard: token.value,
      }),
    ],
    [
      'a push Secret',
      () => ({
        environment: {},
        pushSecret: {
          AWS_ACCESS_KEY_ID: 'of-a-test',
          AWS_SECRET_ACCESS_KEY: secretKey.value,
          AWS_SESSION_TOKEN: token.value,
          AWS_ENDPOINT_URL: endpoint(),
        },
        canaries: [token, secretKey],
        heard: token.value,
      }),
    ],
  ])(
    '%s is in none of its outputs, nor is its key',
    async (_, give) => {
      heard.splice(0);
      const given = give();
      const output = startTrainer(given);
      const state = await stateAtEnd(output);
      // It was used, or nothing would be shown.
      expect(heard.join('\n')).toContain(given.heard);
      const canaries = [
        ...given.canaries,
        canaryOf('root key', root),
        keyCanary('key of the trainer', trainerKeys),
        keyCanary('key of the server', serverKeys),
      ];
      const outputs = {
        ...{ 'log of the trainer': output(), 'state of the trainer': state },
        'log of the server': server.stdout() + server.stderr(),
        'state of the server': await eventually(() => textOf(admin, '/v1/state'), 30_000),
      };
      for (const [where, text] of Object.entries(outputs)) expect(text, where).not.toBe('');
      const hits = findCanaries(canaries, outputs);
      counts.canaries += canaries.length;
      counts.outputs += Object.keys(outputs).length;
      counts.hits += hits.length;
      recordCanaries(counts);
      expect(hits).toEqual([]);
    },
    180_000,
  );
});
