import type { PodSpec } from 'kubernetes-types/core/v1.js';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { renderTemplateV1 } from '../../operator/plan/template-v1/render.ts';
import type { OwnControlPlane } from '../support/control-plane.ts';
import { startControlPlane, whyUnavailable } from '../support/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { aServiceToPlan, DEFAULTS } from '../unit/operator/plan/builders.ts';
import { fakeNodes } from './harness/fake-nodes.ts';
import { FAKE_NODE } from './harness/part-arguments.ts';

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

  /** What the operator makes of the sample for cards, its card asked for by another name. */
  function podOnCard(resource: string): PodSpec {
    const sample = parse(readFileSync('crds/samples/gpu.yaml', 'utf8')) as {
      readonly spec: { readonly pod: object } & Readonly<Record<string, unknown>>;
    };
    const limits = { [resource]: 1, memory: '8Gi' };
    const pod = { ...sample.spec.pod, resources: { limits } };
    // Of an address: there is no volume here.
    const backbone = { uri: 'https://models.example.com/resnet50.onnx' };
    const service = aServiceToPlan({ ...sample.spec, backbone, pod });
    return renderTemplateV1({ service, inputs: DEFAULTS.template, adminGeneration: 1 }).spec!;
  }

  test('pods get a whole card, a slice or a share of one by the name that they ask for, on a node kept for them', async () => {
    const names = ['nvidia.com/gpu', 'nvidia.com/mig-1g.10gb', 'nvidia.com/gpu.shared'];
    const taint = { key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' };
    const apply = (object: object) =>
      plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
    const runtime = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'nvidia' };
    await apply({ ...runtime, metadata: { name: 'nvidia' } });
    // Beside those of the other test, one node for each name.
    const labels = { 'kubernetes.io/arch': 'amd64' };
    for (const [index, name] of names.entries()) {
      const node = fakeNodes({ count: 21 + index, devices: { [name]: 1 }, labels }).at(-1) as {
        readonly spec: { readonly taints: readonly object[] };
      };
      const body = { ...node, spec: { taints: [...node.spec.taints, taint] } };
      const { status } = await plane.request({ method: 'POST', path: '/api/v1/nodes', body });
      expect(status).toBe(201);
    }
    const space = await plane.namespace();
    const pods = `/api/v1/namespaces/${space.name}/pods`;
    for (const [index, name] of names.entries()) {
      const spec = podOnCard(name);
      const body = {
        ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: `card-${index}` } },
        spec: {
          ...spec,
          serviceAccountName: 'default',
          tolerations: [
            ...(spec.tolerations ?? []),
            { key: FAKE_NODE.annotation, operator: 'Exists' },
          ],
        },
      };
      const made = await plane.request({ method: 'POST', path: pods, body });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
    }
    await eventually(async () => {
      for (const [index] of names.entries()) {
        const { body } = await plane.request({ path: `${pods}/card-${index}` });
        expect(body).toMatchObject({
          spec: { nodeName: `fake-${20 + index}`, runtimeClassName: 'nvidia' },
          status: { phase: 'Running' },
        });
      }
    }, 60_000);
  });
});
