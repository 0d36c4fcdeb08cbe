// Canaries in every secret that a run takes in, and a search of all that it gives out (reliability.md Q12). `npm run build` (or
// operator/bundle/bundle.mjs) comes first.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { parseServerState } from '../../../crds/wire/state.ts';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminCall } from '../../../operator/fleet/admin-client.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { installDefinitions } from '../../cluster/kube/definitions.ts';
import { createObject, readObject } from '../../cluster/pods/node-objects.ts';
import { openRecord } from '../../promises/open-record.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { startModelHost, type ModelHost } from '../../support/model-host.ts';
import { modelFile, type ModelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { startOperatorProcess, type OperatorProcess } from '../../support/operator-process.ts';
import {
  createPodProcesses,
  PLAYED_PODS_PLANE,
  type PodProcesses,
} from '../../support/pod-processes.ts';
import { runCli } from '../../support/run-cli.ts';
import { describedModel, policyFor } from '../../support/served-process.ts';
import { digestOf } from '../../support/test-server.ts';
import { aCanary, canaryOf, findCanaries, type Canary } from './canaries.ts';
import { echo, startEchoingProxy } from './echoing-host.ts';

const recordCanaries = openRecord('canaries');

const unavailable = await whyUnavailable('control-plane');
const API = 'layercache.io/v1alpha1';
const CALLER = ['authorization', 'cookie', 'x-api-key', 'x-tenant'] as const;

describe.skipIf(unavailable !== null)('secrets of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-secrets-'));
  const ended = new AbortController();
  let plane: OwnControlPlane;
  let namespace: string;
  /** What the store was sent. */
  const bodies: string[] = [];
  let proxy: FaultProxy;
  let store: ModelHost;
  let tunnel: Awaited<ReturnType<typeof startEchoingProxy>>;
  let model: ModelFile;
  let operator: OperatorProcess;
  let pods: PodProcesses;
  let running: Promise<void>;

  const given = {
    kubeconfig: aCanary('token of the kubeconfig'),
    backbone: aCanary('token of the backbone’s host'),
    signature: aCanary('signature in the backbone’s address'),
    s3: aCanary('secret key of S3'),
    session: aCanary('session token of S3'),
    role: aCanary('token of an account for a role'),
    agent: aCanary('token for the agent of a node'),
    registry: aCanary('password of the registry'),
    proxy: aCanary('password of the proxy'),
    body: aCanary('input of a request'),
    query: aCanary('key in the address of a request'),
    ...Object.fromEntries(CALLER.map((header) => [header, aCanary(`${header} of a request`)])),
  } as Readonly<Record<string, Canary>>;
  const secret = (name: string): string => given[name]?.value ?? '';

  beforeAll(async () => {
    plane = await startControlPlane(PLAYED_PODS_PLANE);
    await installDefinitions(plane);
    namespace = (await plane.namespace()).name;
    proxy = await startFaultProxy(plane);
    store = await startModelHost(
      (request, response) => {
        request.on('data', (bytes: Buffer) => bodies.push(bytes.toString()));
        echo(request, response);
      },
      { name: 'localhost' },
    );
    tunnel = await startEchoingProxy();
    model = await modelFile(residualNet());
    const kubeconfig = JSON.parse(proxy.kubeconfig) as { users: object[] };
    kubeconfig.users = [{ name: 'u', user: { token: secret('kubeconfig') } }];
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
    for (const name of ['role', 'agent']) writeFileSync(join(folder, name), secret(name));
    operator = startOperatorProcess({
      LAYERCACHE_KUBECONFIG: join(folder, 'kubeconfig'),
      LAYERCACHE_NAMESPACE: namespace,
      LAYERCACHE_RELEASE: 'demo',
      LAYERCACHE_WATCH_NAMESPACES: namespace,
      LAYERCACHE_SERVER_IMAGE: 'registry.test/server:1',
      LAYERCACHE_SERVER_ALLOWED_HOSTS: `localhost:${store.port}`,
      LAYERCACHE_LOG_LEVEL: 'debug',
    });
    const place = { plane, namespace, lookMs: 200, ratePerSecond: 2, longestMs: 600_000 };
    pods = createPodProcesses(place);
    running = pods.run(ended.signal);
    await operator.says('caches full', 30_000);
  });
  afterAll(async () => {
    ended.abort();
    operator.kill('SIGKILL');
    await Promise.all([running, operator.ended]);
    await Promise.all([proxy.close(), store.close(), model.remove()]);
    tunnel.close();
    await plane.stop();
    rmSync(folder, { recursive: true });
  });

  const endpoint = (): string => store.url('').replace(/\/$/, '');

  async function createSecrets(): Promise<void> {
    const docker = { auths: { [`localhost:${store.port}`]: { username: 'me', password: secret('registry') } } }; // prettier-ignore
    const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
      'models-read': { token: secret('backbone') },
      'heads-read': {
        AWS_ACCESS_KEY_ID: 'of-a-test',
        AWS_SECRET_ACCESS_KEY: secret('s3'),
        AWS_SESSION_TOKEN: secret('session'),
        AWS_ENDPOINT_URL: endpoint(),
      },
      'registry-read': { '.dockerconfigjson': JSON.stringify(docker) },
      tunnel: { url: `http://me:${secret('proxy')}@127.0.0.1:${tunnel.port}` },
    };
    for (const [name, stringData] of Object.entries(secrets)) {
      const metadata = { name, namespace };
      await createObject(plane, { apiVersion: 'v1', kind: 'Secret', metadata, stringData });
    }
    const metadata = { name: 'ca', namespace };
    const data = { 'ca.crt': store.ca };
    await createObject(plane, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  }

  /** Pods with an identity of their own in a cloud, as clouds tell them of it. */
  function identified(environment: Readonly<Record<string, string>>): object {
    const env = Object.entries({ ...environment, AWS_ENDPOINT_URL: endpoint() });
    return {
      podTemplate: {
        spec: {
          containers: [{ name: 'server', env: env.map(([name, value]) => ({ name, value })) }],
        },
      },
    };
  }

  /** Four services whose heads are in stores, two whose backbone cannot be had, one of them through a proxy. */
  async function createServices(): Promise<void> {
    const file = { backbone: { uri: `file://${model.path}` } };
    const refused = {
      uri: store.url(`/m.onnx?X-Amz-Signature=${secret('signature')}`),
      ...{ credentialsSecretName: 'models-read', caBundleConfigMapName: 'ca' },
    };
    const ca = { caBundleConfigMapName: 'ca' };
    const url = { secretKeyRef: { name: 'tunnel', key: 'url' } };
    const env = [{ name: 'HTTPS_PROXY', valueFrom: url }];
    const ofIdentity = { heads: { store: { s3: { uri: 's3://heads/v', ...ca } } } };
    const specs: Readonly<Record<string, object>> = {
      'of-role': {
        ...{ ...file, ...ofIdentity },
        ...identified({
          AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'role'),
          AWS_ROLE_ARN: 'arn:aws:iam::1:role/heads',
        }),
      },
      'of-agent': {
        ...{ ...file, ...ofIdentity },
        ...identified({
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'agent'),
          AWS_CONTAINER_CREDENTIALS_FULL_URI: store.url('/keys'),
        }),
      },
      'of-s3': {
        ...file,
        rollout: { stickyHeader: 'x-tenant' },
        heads: { store: { s3: { uri: 's3://heads/v' }, pullSecretName: 'heads-read', ...ca } },
      },
      'of-registry': {
        ...file,
        heads: {
          store: {
            oci: { repository: `oci://localhost:${store.port}/team/heads` },
            ...{ pullSecretName: 'registry-read', ...ca },
          },
        },
      },
      refused: { backbone: refused },
      tunnelled: {
        backbone: refused,
        podTemplate: { spec: { containers: [{ name: 'server', env }] } },
      },
    };
    for (const [name, spec] of Object.entries(specs)) {
      await createObject(plane, {
        ...{ apiVersion: API, kind: 'CachedModelService', metadata: { name, namespace } },
        spec: { accuracy: { maxDisagreement: '1%' }, server: { logLevel: 'Debug' }, ...spec },
      });
    }
  }

  interface Data {
    readonly data: Readonly<Record<string, string>>;
  }

  const serviceNow = <T>(name: string): Promise<T> =>
    readObject<T>(plane, { kind: 'CachedModelService', namespace, name });
  const keysIn = async (name: string): Promise<ReadonlyMap<string, Buffer>> => {
    const { data } = await readObject<Data>(plane, { kind: 'Secret', namespace, name });
    return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
  };

  /** Calls a pod with the operator's own key. */
  async function adminOf(service: string) {
    const { metadata } = await serviceNow<{ metadata: { uid: string } }>(service);
    const root = (await keysIn('demo-identity')).get('root.key') ?? Buffer.alloc(0);
    const pod = pods.ready().find((one) => one.service === service);
    const place = { uid: 'of-a-test', name: service, ip: pod?.ip ?? '', adminGeneration: 1 };
    const client = createPodConnections(root, systemClock).open(metadata.uid, place);
    return {
      call: async (call: AdminCall): Promise<string> => {
        const answer = await client.call(call);
        return answer.ok ? Buffer.from(answer.value.body).toString() : answer.message;
      },
      close: () => {
        client.close();
      },
    };
  }

  /** Names heads at the store to a pod, which asks for them with the credentials that it has. */
  async function askStore(service: string, bundleUri: string): Promise<Record<string, string>> {
    const admin = await adminOf(service);
    const state = parseServerState(await admin.call({ method: 'GET', path: '/v1/state' }));
    if (!state.ok) throw new Error(state.message);
    const bundle = aBundle(describedModel(state.value), [{ tensor: 'stem', intercept: 0 }], 9);
    const headRevision = digestOf(encodeHeadBundle(bundle));
    const policy = policyFor(bundle, headRevision, 900);
    const stable = { ...policy.stable, bundleUri };
    const body = JSON.stringify({ ...policy, model: state.value.model, epoch: 9, stable });
    // A policy of the operator that comes after this one takes its place: what waits for heads is not in force.
    const { acknowledged, told } = await eventually(async () => {
      const answer = await admin.call({ method: 'PUT', path: '/v1/policy', body });
      const text = await admin.call({ method: 'GET', path: '/v1/state' });
      expect(text, answer).toContain('"missingHeads":[{');
      return { acknowledged: answer, told: text };
    }, 30_000);
    const evidence = await admin.call({ method: 'GET', path: '/v1/evidence?after=0' });
    admin.close();
    return {
      [`acknowledgement of ${service}`]: acknowledged,
      [`state of ${service}`]: told,
      [`evidence of ${service}`]: evidence,
    };
  }

  /** What a client with secrets of its own sends, right and wrong; told is what it is answered, and what the metrics page says after. */
  async function sendRequests(service: string): Promise<Record<string, string>> {
    const ip = pods.ready().find((one) => one.service === service)?.ip ?? '';
    const headers = Object.fromEntries(CALLER.map((header) => [header, secret(header)]));
    const bad = {
      inputs: [{ name: 'input', shape: [1], datatype: 'BYTES', data: [secret('body')] }],
    };
    const bodies = [JSON.stringify(bad), `{"inputs":"${secret('body')}`, secret('body')];
    const answers: Record<string, string> = {};
    for (const [i, body] of bodies.entries()) {
      for (const path of ['infer', 'nowhere']) {
        const url = `http://${ip}:8080/v2/models/${service}/${path}?api_key=${secret('query')}`;
        const answer = await fetch(url, { method: 'POST', headers, body });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        answers[`answer ${i} of ${path}`] = await answer.text();
      }
    }
    return answers;
  }

  async function pages(): Promise<Record<string, string>> {
    const told: Record<string, string> = {
      'metrics of the operator': (await operator.get('/metrics')).text,
    };
    for (const { ip, service } of pods.ready())
      told[`metrics of ${service}`] = await (await fetch(`http://${ip}:9090/metrics`)).text();
    return told;
  }

  /** What API objects tell, without Secrets; of those that hold a spec, what the operator says of it. */
  async function objects(): Promise<Record<string, string>> {
    const kinds = 'configmaps,deployments,pods,services,serviceaccounts,leases,events';
    const all = await plane.kubectl(['get', `${kinds},cms,chr`, '-n', namespace, '-o', 'json']);
    expect(all.code, all.stderr).toBe(0);
    const { items } = JSON.parse(all.stdout) as {
      readonly items: readonly { readonly kind: string; readonly spec?: unknown }[];
    };
    return {
      'objects without their specs': JSON.stringify(
        items.map(({ spec, ...rest }) => ({ ...rest, hadSpec: spec !== undefined })),
      ),
      'specs of children': JSON.stringify(
        items.filter(({ kind }) => kind !== 'CachedModelService').map(({ spec }) => spec),
      ).replaceAll(store.url(`/m.onnx?X-Amz-Signature=${secret('signature')}`), ''),
    };
  }

  async function commands(service: string): Promise<Record<string, string>> {
    const archive = join(folder, `${service}.tar.gz`);
    const run = async (...words: string[]): Promise<string> => {
      const { out, err } = await runCli(plane.kubeconfigPath, [...words, '-n', namespace]);
      return out + err;
    };
    const told: Record<string, string> = {
      [`bundle of ${service}, as it is told`]: await run('bundle', service, '--to', archive),
      [`status of ${service}`]: await run('status', service),
      [`explain ${service}`]: await run('explain', service),
      [`evidence of ${service}`]: await run('evidence', service),
    };
    told[`archive of ${service}`] = gunzipSync(readFileSync(archive)).toString('latin1');
    return told;
  }

  test('are in none of its logs, metrics, objects, events, answers and archives', async () => {
    await createSecrets();
    await createServices();
    await eventually(async () => {
      expect(
        pods
          .ready()
          .map(({ service }) => service)
          .toSorted(),
      ).toEqual(['of-agent', 'of-registry', 'of-role', 'of-s3']);
      for (const name of ['refused', 'tunnelled']) {
        const { status } = await serviceNow<{ status?: object }>(name);
        expect(JSON.stringify(status)).toMatch(name === 'refused' ? /403/ : /proxy/i);
      }
    }, 180_000);
    const asked = {
      ...(await askStore('of-s3', 's3://heads/v/5')),
      ...(await askStore('of-role', 's3://heads/v/6')),
      ...(await askStore('of-agent', 's3://heads/v/7')),
      ...(await askStore(
        'of-registry',
        `oci://localhost:${store.port}/team/heads@sha256:${'5'.repeat(64)}`,
      )),
      ...(await sendRequests('of-s3')),
    };
    const outputs: Record<string, string> = { ...asked, ...(await pages()), ...(await objects()) };
    for (const name of ['of-s3', 'of-registry', 'of-role', 'of-agent', 'refused', 'tunnelled'])
      Object.assign(outputs, await commands(name));
    outputs['log of the operator'] = JSON.stringify(operator.lines) + operator.stderr();
    outputs['logs of servers'] = pods.output();

    const made = [canaryOf('root key', (await keysIn('demo-identity')).get('root.key') ?? '')];
    for (const name of ['of-s3', 'refused']) {
      const pem = (await keysIn(`${name}-admin-g1`)).get('tls.key')?.toString() ?? '';
      const [, line = ''] = pem.split('\n');
      made.push(canaryOf(`admin key of ${name}`, line));
    }
    const canaries = [...Object.values(given), ...made];
    expect(canaries.map(({ value }) => value.length).every((length) => length > 12)).toBe(true);

    // They were used, or nothing would be shown.
    const heard = store.asked.join('\n');
    expect(heard).toContain(secret('backbone'));
    expect(heard).toContain(secret('signature'));
    expect(heard).toContain(secret('agent'));
    expect(bodies.join('\n')).toContain(secret('role'));
    for (const [place, text] of Object.entries(outputs)) expect(text, place).not.toBe('');
    const hits = findCanaries(canaries, outputs);
    recordCanaries({
      canaries: canaries.length,
      outputs: Object.keys(outputs).length,
      hits: hits.length,
    });
    expect(hits).toEqual([]);
  }, 360_000);
});
