import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OwnControlPlane } from '../support/control-plane.ts';
import { sharedControlPlane, startControlPlane } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';

const plane = await sharedControlPlane();

const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;
const aConfigMap = (name: string, value = '1') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
});

describe.skipIf(plane.unavailable !== null)('the shared control plane', () => {
  test('is Kubernetes 1.36', async () => {
    const { status, body } = await plane.request({ path: '/version' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ major: '1', minor: '36' });
  });

  test('gives a namespace in which pods have an account to run as', async () => {
    const { name } = await plane.namespace();
    const { stdout, stderr } = await plane.kubectl(['get', 'sa', '-n', name, '-o', 'name']);
    expect(stderr).toBe('');
    expect(stdout).toBe('serviceaccount/default\n');
  });

  test('lets a user do what a role allows, and nothing else', async () => {
    const { name } = await plane.namespace();
    const kubeconfigPath = await plane.userKubeconfig({ user: 'jane', groups: ['readers'] });
    const get = () => plane.kubectl(['get', 'configmaps', '-n', name], { kubeconfigPath });
    const before = await get();
    expect(before.code).toBe(1);
    expect(before.stderr).toContain('User "jane" cannot list resource "configmaps"');

    const role = ['create', 'role', 'reader', '--verb=get,list', '--resource=configmaps'];
    const binding = ['create', 'rolebinding', 'readers', '--role=reader', '--group=readers'];
    for (const args of [role, binding]) {
      const { code, stderr } = await plane.kubectl([...args, '-n', name]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
    await eventually(async () => {
      expect((await get()).code).toBe(0);
    });
    const created = await plane.kubectl(['create', 'configmap', 'x', '-n', name], {
      kubeconfigPath,
    });
    expect(created.stderr).toContain('cannot create resource "configmaps"');
  });

  test('knows a service account by the token it issued', async () => {
    const { name } = await plane.namespace();
    const kubeconfigPath = await plane.serviceAccountKubeconfig(name, 'default');
    const { stdout } = await plane.kubectl(['auth', 'whoami', '-o', 'name'], { kubeconfigPath });
    const whole = await plane.kubectl(['auth', 'whoami'], { kubeconfigPath });
    expect(stdout + whole.stdout).toContain(`system:serviceaccount:${name}:default`);
  });

  test('refuses a pod that breaks the pod security level of its namespace', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const { name } = await plane.namespace({ labels });
    const { status, body } = await plane.request({
      method: 'POST',
      path: `/api/v1/namespaces/${name}/pods`,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'loose' },
        spec: { containers: [{ name: 'main', image: 'any' }] },
      },
    });
    expect(status).toBe(403);
    expect(body).toMatchObject({
      message: expect.stringContaining('violates PodSecurity "restricted:latest"') as string,
    });
  });

  test('runs controllers: the children of a deleted owner go too', async () => {
    const { name } = await plane.namespace();
    const owner = await plane.request({
      method: 'POST',
      path: configMaps(name),
      body: aConfigMap('owner'),
    });
    const { metadata } = owner.body as { metadata: { uid: string } };
    const ownerReferences = [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid },
    ];
    const child = aConfigMap('child');
    await plane.request({
      method: 'POST',
      path: configMaps(name),
      body: { ...child, metadata: { ...child.metadata, ownerReferences } },
    });
    await plane.request({ method: 'DELETE', path: `${configMaps(name)}/owner` });
    await eventually(async () => {
      const { status } = await plane.request({ path: `${configMaps(name)}/child` });
      expect(status).toBe(404);
    }, 15_000);
  });

  test('shows everything in a namespace when asked why a test failed', async () => {
    const { name, dump } = await plane.namespace();
    await plane.request({ method: 'POST', path: configMaps(name), body: aConfigMap('seen', '42') });
    const text = await dump();
    expect(text).toContain('--- ConfigMap seen');
    expect(text).toContain('value: "42"');
    expect(text).toContain('--- events');
    expect(text).not.toContain('managedFields');
  });

  test('comes with Helm', async () => {
    const { name } = await plane.namespace();
    const { code, stdout } = await plane.helm(['list', '-n', name, '-o', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual([]);
  });
});

describe.skipIf(plane.unavailable !== null)('a control plane of one test file', () => {
  let own: OwnControlPlane;
  beforeAll(async () => {
    own = await startControlPlane({ parts: ['etcd', 'apiserver'], auditLog: true });
  });
  afterAll(() => own.stop());

  const read = async (name: string) => own.request({ path: `${configMaps('default')}/${name}` });
  const write = async (name: string) =>
    own.request({ method: 'POST', path: configMaps('default'), body: aConfigMap(name) });

  test('runs beside the shared one, with objects of its own', async () => {
    const { name } = await own.namespace();
    expect((await plane.request({ path: `/api/v1/namespaces/${name}` })).status).toBe(404);
  });

  test('keeps its objects when the API server is killed and started again', async () => {
    expect((await write('kept')).status).toBe(201);
    await own.kill('apiserver');
    await expect(read('kept')).rejects.toThrow();
    await own.start('apiserver');
    expect((await read('kept')).status).toBe(200);
  });

  test('does not answer while its API server is frozen, and does when thawed', async () => {
    own.freeze('apiserver');
    const path = `${configMaps('default')}/any`;
    try {
      await expect(own.request({ path, deadlineMs: 500 })).rejects.toThrow('no answer within');
    } finally {
      own.thaw('apiserver');
    }
    await eventually(async () => {
      expect((await own.request({ path, deadlineMs: 1_000 })).status).toBe(404);
    });
  });

  test('has a second API server that reads the past while its link to etcd is paused', async () => {
    const second = await own.startSecondApiServer();
    const stale = async (name: string) =>
      second.request({ path: `${configMaps('default')}/${name}?resourceVersion=0` });
    await eventually(async () => {
      await write('before');
      expect((await stale('before')).status).toBe(200);
    }, 15_000);
    second.pauseEtcd();
    expect((await write('after')).status).toBe(201);
    expect((await read('after')).status).toBe(200);
    expect((await stale('after')).status).toBe(404);
    second.resumeEtcd();
    await eventually(async () => {
      expect((await stale('after')).status).toBe(200);
    }, 30_000);
    await second.stop();
  });

  test('records who asked for what', async () => {
    const kubeconfigPath = await own.userKubeconfig({ user: 'mallory' });
    await own.kubectl(['get', 'secrets', '-n', 'default'], { kubeconfigPath });
    const asked = own.auditEvents().filter(({ user }) => user.username === 'mallory');
    expect(asked).toContainEqual(
      expect.objectContaining({
        verb: 'list',
        objectRef: expect.objectContaining({ resource: 'secrets', namespace: 'default' }) as object,
        responseStatus: expect.objectContaining({ code: 403 }) as object,
      }),
    );
  });

  test('leaves no folder behind and does not answer when stopped', async () => {
    const short = await startControlPlane({ parts: ['etcd', 'apiserver'] });
    const folder = dirname(dirname(short.kubeconfigPath));
    expect(existsSync(folder)).toBe(true);
    await short.stop();
    expect(existsSync(folder)).toBe(false);
    await expect(short.request({ path: '/readyz' })).rejects.toThrow('ECONNREFUSED');
  });
});
