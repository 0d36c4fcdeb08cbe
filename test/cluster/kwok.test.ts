import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OwnControlPlane } from '../support/control-plane.ts';
import { startControlPlane, whyUnavailable } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { fakeNodes } from './harness/fake-nodes.ts';

const unavailable = await whyUnavailable('kwok');
let plane: OwnControlPlane;

describe.skipIf(unavailable !== null)('kwok', () => {
  beforeAll(async () => {
    plane = await startControlPlane({
      parts: ['etcd', 'apiserver', 'controller-manager', 'scheduler', 'kwok'],
    });
  });
  afterAll(() => plane.stop());

  async function readyReplicas(namespace: string): Promise<number> {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/many`;
    const { body } = await plane.request({ path });
    return (body as { status?: { readyReplicas?: number } }).status?.readyReplicas ?? 0;
  }

  test('a hundred pods with accelerators become ready on fake nodes', async () => {
    for (const body of fakeNodes({ count: 13, devices: { 'nvidia.com/gpu': 8 } })) {
      const { status } = await plane.request({ method: 'POST', path: '/api/v1/nodes', body });
      expect(status).toBe(201);
    }
    const { name } = await plane.namespace();
    const labels = { app: 'many' };
    const container = {
      name: 'main',
      image: 'fake',
      resources: { limits: { 'nvidia.com/gpu': 1 } },
    };
    const path = `/apis/apps/v1/namespaces/${name}/deployments`;
    const { status } = await plane.request({
      method: 'POST',
      path,
      body: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'many' },
        spec: {
          replicas: 100,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [container], tolerations: [{ operator: 'Exists' }] },
          },
        },
      },
    });
    expect(status).toBe(201);
    await eventually(async () => {
      expect(await readyReplicas(name)).toBe(100);
    }, 60_000);
  });
});
