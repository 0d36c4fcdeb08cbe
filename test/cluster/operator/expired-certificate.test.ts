// The API server's certificate runs out before somebody renews it: TLS in front of a real one, by a certificate that can be changed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy, type FaultProxy } from '../../support/fault-proxy.ts';
import { startTlsFront, type TlsFront } from '../../support/tls-front.ts';
import {
  createAuthority,
  expire,
  issueServer,
  kubeconfigText,
  type Certificate,
} from '../harness/certificates.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { createObject, readObject } from '../pods/node-objects.ts';
import { runOperator, type ProxiedOperator } from './run-operators.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('an API server whose certificate expired', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-expired-'));
  const kubeconfig = join(folder, 'kubeconfig');
  let renewed: Certificate;
  let expired: Certificate;
  let proxy: FaultProxy;
  let front: TlsFront;
  let namespace: string;

  beforeAll(async () => {
    await installDefinitions(plane);
    await createAuthority(folder, 'ca');
    renewed = await issueServer(folder, 'server', { user: 'kube-apiserver' }, ['IP:127.0.0.1']);
    expired = await expire(folder, renewed);
  });
  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
    proxy = await startFaultProxy(plane);
    front = await startTlsFront(Number(new URL(proxy.url).port), renewed);
    writeFileSync(kubeconfig, kubeconfigText(folder, front.url, { token: 'of-a-test' }));
    onTestFinished(async () => {
      await front.close();
      await proxy.close();
    });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const run = (): Promise<ProxiedOperator> =>
    runOperator(plane, namespace, { LAYERCACHE_KUBECONFIG: kubeconfig });
  const saysWhy = (operator: ProxiedOperator): Promise<void> =>
    eventually(() => {
      expect(JSON.stringify(operator.lines)).toContain('certificate has expired');
    }, 20_000);

  test('is told no word: the operator says what is wrong, alive and not ready, and leads once it is renewed', async () => {
    front.show(expired);
    const operator = await run();
    await saysWhy(operator);
    expect(proxy.requests).toEqual([]);
    expect((await operator.get('/livez')).status).toBe(200);
    expect((await operator.get('/readyz')).status).toBe(503);
    front.show(renewed);
    await operator.says('caches full', 30_000);
    expect((await operator.get('/readyz')).status).toBe(200);
  });

  test('costs the leader its Lease and nothing else: services stay as they are, and the next one takes over', async () => {
    const first = await run();
    await first.says('caches full', 30_000);
    await createObject(plane, {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name: 'vision', namespace },
      spec: {
        ...{ backbone: { uri: 'https://m.example/m' }, accuracy: { maxDisagreement: '1%' } },
        replicas: 0,
      },
    });
    const deployment = { kind: 'Deployment', namespace, name: 'vision' } as const;
    const uidOf = async (): Promise<string> => {
      const { metadata } = await readObject<{ metadata: { uid: string } }>(plane, deployment);
      return metadata.uid;
    };
    const uid = await eventually(uidOf, 30_000);

    front.show(expired);
    const before = proxy.requests.length;
    expect(await first.ended).toEqual({ code: 1, signal: null });
    await saysWhy(first);
    expect(proxy.requests.length).toBe(before);
    expect(await uidOf()).toBe(uid);

    front.show(renewed);
    const next = await run();
    await next.says('caches full', 30_000);
    expect(await uidOf()).toBe(uid);
  });
});
