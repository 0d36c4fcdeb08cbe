import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { parseMetricPage } from '../../support/metric-page.ts';
import { startOperatorProcess } from '../../support/operator-process.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { makeService } from './make-service.ts';
import { startRestingOperator, type RestingOperator } from './resting-operator.ts';
import { LEASE, leaseOf, runOperator, type ProxiedOperator } from './run-operators.ts';

const plane = await sharedControlPlane();

test('a misconfigured operator names every problem at once and ends with code 2', async () => {
  const operator = startOperatorProcess({
    LAYERCACHE_METRICS_PORT: 'http',
    LAYERCACHE_LEASE_DURATION: '5s',
    LAYERCACHE_WATCH_NAMESPACES: 'ml,No_Name',
  });
  expect(await operator.ended).toEqual({ code: 2, signal: null });
  expect(operator.stderr().trimEnd().split('\n')).toEqual([
    'LAYERCACHE_NAMESPACE is missing; set it to the namespace of this pod.',
    'LAYERCACHE_WATCH_NAMESPACES is "ml,No_Name" and holds "No_Name", which must be the name of a namespace.',
    'LAYERCACHE_METRICS_PORT is "http" and must be a whole number.',
    'LAYERCACHE_SERVER_IMAGE is missing; set it to the image of the model server.',
    'LAYERCACHE_LEASE_DURATION is "5s" and must be longer than LAYERCACHE_LEASE_RENEW_DEADLINE.',
  ]);
  expect(operator.lines).toEqual([]);
});

test('an operator without a way to the API server says so in a sentence', async () => {
  const operator = startOperatorProcess({
    LAYERCACHE_KUBECONFIG: '/nowhere/kubeconfig',
    LAYERCACHE_NAMESPACE: 'ml',
    LAYERCACHE_SERVER_IMAGE: 'registry.test/server:1',
  });
  expect(await operator.ended).toEqual({ code: 1, signal: null });
  expect(operator.stderr()).toMatch(/^The operator cannot go on: .*\/nowhere\/kubeconfig.*\n$/);
});

describe.skipIf(plane.unavailable !== null)('an operator process', () => {
  let namespace: string;
  /** Its minute passes while the other tests run. */
  let resting: RestingOperator;

  beforeAll(async () => {
    await installDefinitions(plane);
    resting = await startRestingOperator(plane);
  });
  afterAll(() => resting.end());
  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
  });

  const leads = (operator: ProxiedOperator, deadlineMs?: number) =>
    operator.says('caches full', deadlineMs);

  const identitySecret = async (): Promise<{
    readonly immutable: boolean;
    readonly data: Readonly<Record<string, string>>;
  }> => {
    const path = `/api/v1/namespaces/${namespace}/secrets/demo-identity`;
    const { body } = await plane.request({ path });
    return body as { immutable: boolean; data: Record<string, string> };
  };

  test('leads, is ready with full caches, and makes the identity once', async () => {
    const operator = await runOperator(plane, namespace);
    await leads(operator);
    expect(await operator.get('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    expect(await operator.get('/livez')).toEqual({ status: 200, text: 'ok\n' });
    const secret = await identitySecret();
    expect(Buffer.from(secret.data['root.key']!, 'base64')).toHaveLength(32);
    expect(secret.immutable).toBe(true);

    operator.kill('SIGTERM');
    expect(await operator.ended).toEqual({ code: 0, signal: null });
    expect((await leaseOf(plane, namespace)).holderIdentity).toBeUndefined();
    const next = await runOperator(plane, namespace);
    await leads(next);
    expect(await identitySecret()).toEqual(secret);
  });

  test('shows its metrics under the names of the catalogue', async () => {
    const operator = await runOperator(plane, namespace);
    await leads(operator);
    await makeService(plane, namespace, 'vision');
    const page = await eventually(async () => {
      const { status, text } = await operator.get('/metrics');
      expect(status).toBe(200);
      const read = parseMetricPage(text);
      const done = 'controller_runtime_reconcile_total{controller="cached-model-service"';
      const passes = read.of(done).reduce((sum, key) => sum + read.series.get(key)!, 0);
      expect(passes).toBeGreaterThan(0);
      return read;
    });
    for (const { name, type } of Object.values(OPERATOR_METRICS)) {
      expect(page.types.get(name), name).toBe(type);
    }
    const others = [...page.types.keys()].filter((name) => !/^(process|nodejs)_/.test(name));
    expect(others.toSorted()).toEqual(
      Object.values(OPERATOR_METRICS)
        .map(({ name }) => name)
        .toSorted(),
    );
    const value = (key: string) => page.series.get(key);
    expect(value('leader_election_master_status{name="demo-operator"}')).toBe(1);
    expect(value('layercache_cache_current{kind="CachedModelService"}')).toBe(1);
    expect(value('layercache_cache_objects{kind="CachedModelService"}')).toBe(1);
    const lists = 'layercache_cache_lists_total{kind="CachedModelService",cause="start"}';
    expect(value(lists)).toBe(1);
    expect(page.of('rest_client_requests_total{code="200",method="GET"')).toHaveLength(1);
    expect(page.of('workqueue_depth{name="cached-model-service"')).toHaveLength(1);
  });

  test('is ready while it stands by, and takes over when the leader is killed', async () => {
    const first = await runOperator(plane, namespace);
    await leads(first);
    const second = await runOperator(plane, namespace);
    await second.says('started');
    await eventually(async () => {
      expect((await second.get('/readyz')).status).toBe(200);
    });
    first.kill('SIGKILL');
    const killedMs = performance.now();
    await second.says('leading');
    const { leaseMs, retryMs } = LEASE;
    // A lease without change, up to a jittered retry before it was seen and one after; a second for a busy machine.
    expect(performance.now() - killedMs).toBeLessThan(leaseMs + 2 * 2.2 * retryMs + 1_000);
    await leads(second);
    expect(await leaseOf(plane, namespace)).toMatchObject({ leaseTransitions: 1 });
  });

  test('hands the Lease over at once when it is asked to end', async () => {
    const first = await runOperator(plane, namespace);
    await leads(first);
    const second = await runOperator(plane, namespace);
    await second.says('started');
    first.kill('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const releasedMs = performance.now();
    await second.says('leading');
    expect(performance.now() - releasedMs).toBeLessThan(2.2 * LEASE.retryMs + 500);
  });

  test('that was frozen past its Lease writes nothing when it thaws, and ends', async () => {
    const first = await runOperator(plane, namespace);
    await leads(first);
    const second = await runOperator(plane, namespace);
    await second.says('started');
    await makeService(plane, namespace, 'before');
    first.kill('SIGSTOP');
    // Work that lies in its sockets when it wakes.
    await makeService(plane, namespace, 'while-frozen');
    await second.says('leading');
    await leads(second);
    const before = first.writes();
    first.kill('SIGCONT');
    expect(await first.ended).toEqual({ code: 1, signal: null });
    expect(first.writes()).toEqual(before);
    // A pass that was under way may say after it that it was stopped.
    expect(first.lines).toContainEqual(expect.objectContaining({ msg: 'lease lost', level: 50 }));
    expect((await leaseOf(plane, namespace)).holderIdentity).toBe(
      (await second.says('leading')).identity,
    );
  });

  /** Leads, and hangs in a write that is not answered. */
  const runStuck = async (more: Readonly<Record<string, string>>): Promise<ProxiedOperator> => {
    const operator = await runOperator(plane, namespace, more);
    await leads(operator);
    let isStuck = false;
    operator.proxy.onRequest = ({ method, target }) => {
      if (method === 'GET' || target.includes('/leases')) return null;
      isStuck = true;
      return { kind: 'Silence' };
    };
    await makeService(plane, namespace, 'vision');
    await eventually(() => {
      expect(isStuck).toBe(true);
    });
    return operator;
  };

  test('gives the Lease back after its shutdown time although a call hangs', async () => {
    const operator = await runStuck({ LAYERCACHE_SHUTDOWN_TIMEOUT: '300ms' });
    const askedMs = performance.now();
    operator.kill('SIGTERM');
    await operator.says('ending');
    expect(await operator.get('/readyz')).toEqual({
      status: 503,
      text: 'This process is ending.\n',
    });
    expect(await operator.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(1_500);
    expect((await leaseOf(plane, namespace)).holderIdentity).toBeUndefined();
  });

  test('ends at once when it is asked twice', async () => {
    const operator = await runStuck({ LAYERCACHE_SHUTDOWN_TIMEOUT: '30s' });
    operator.kill('SIGTERM');
    await operator.says('ending');
    operator.kill('SIGTERM');
    expect(await operator.ended).toEqual({ code: 1, signal: null });
  });

  test('ends when it cannot renew, and another writes in its place', async () => {
    const first = await runOperator(plane, namespace);
    await leads(first);
    first.proxy.onRequest = ({ target }) =>
      target.includes('/leases') ? { kind: 'Silence' } : null;
    expect(await first.ended).toEqual({ code: 1, signal: null });
    const second = await runOperator(plane, namespace);
    await second.says('leading');
  });

  test('waits for an API server that does not answer, alive and not ready', async () => {
    const operator = await runOperator(plane, namespace);
    await leads(operator);
    operator.kill('SIGTERM');
    await operator.ended;
    const blind = await runOperator(plane, namespace, { LAYERCACHE_LOG_LEVEL: 'debug' });
    blind.proxy.onRequest = () => ({
      kind: 'Answer',
      status: 503,
      body: { kind: 'Status', code: 503 },
    });
    await blind.says('lease not read or written');
    expect(await blind.get('/readyz')).toEqual({
      status: 503,
      text: 'The Lease has not been read yet.\n',
    });
    expect((await blind.get('/livez')).status).toBe(200);
    blind.proxy.onRequest = () => null;
    await leads(blind);
    expect((await blind.get('/readyz')).status).toBe(200);
  });

  test('that finds another identity Secret than it can use says what to do', async () => {
    const made = await plane.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/secrets`,
      body: { metadata: { name: 'demo-identity' }, data: { 'root.key': 'c2hvcnQ=' } },
    });
    expect(made.status).toBe(201);
    const operator = await runOperator(plane, namespace);
    expect(await operator.ended).toEqual({ code: 1, signal: null });
    expect(operator.stderr()).toMatch(
      /^The operator cannot go on: Secret \S+\/demo-identity, field data\["root.key"\], holds 5 bytes where 32 are needed: .*delete the Secret/,
    );
    expect(operator.writes()).toEqual([]);
  });

  test('that finds its port taken says so and never leads', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    const operator = await runOperator(plane, namespace, {
      LAYERCACHE_METRICS_PORT: String(port),
    });
    expect(await operator.ended).toEqual({ code: 1, signal: null });
    expect(operator.stderr()).toMatch(new RegExp(`another process listens on \\S+:${port}\\b`));
    expect(operator.proxy.requests).toEqual([]);
  });

  test('whose services are as they should be writes nothing but its Lease in a minute', async () => {
    expect(await resting.minute()).toEqual([]);
  }, 240_000);
});
