import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startOperatorProcess } from '../../support/operator-process.ts';
import { CHART, renderObjects } from '../../unit/charts/helm.ts';
import { operatorContainerOf } from '../../unit/charts/policy-rules.ts';
import { expectHelm } from './release.ts';

const unavailable = await whyUnavailable('control-plane');
const ACCOUNT = 'demo-layercache-operator';

describe.skipIf(unavailable !== null)('the operator with the account of the chart', () => {
  let plane: OwnControlPlane;

  beforeAll(async () => {
    plane = await startControlPlane({ auditLog: true });
  });
  afterAll(() => plane.stop());

  /** The variables of the rendered Deployment, as the kubelet would fill them in. */
  async function environmentOf(
    namespace: string,
    values: object,
  ): Promise<Readonly<Record<string, string>>> {
    const { env = [] } = operatorContainerOf(await renderObjects({ values }));
    const written = env.flatMap(({ name, value }) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return {
      ...Object.fromEntries(written),
      LAYERCACHE_NAMESPACE: namespace,
      LAYERCACHE_POD_NAME: 'demo-0',
      LAYERCACHE_KUBECONFIG: await plane.serviceAccountKubeconfig(namespace, ACCOUNT),
      LAYERCACHE_METRICS_PORT: '0',
      LAYERCACHE_LEASE_RETRY_PERIOD: '500ms',
    };
  }

  test.each(['Cluster', 'Namespaced'])('is denied nothing with scope %s', async (scope) => {
    const { name: namespace } = await plane.namespace();
    const { name: watched } = await plane.namespace();
    const values = { rbac: { scope }, watchNamespaces: { [watched]: true } };
    await expectHelm(plane, {
      major: 4,
      namespace,
      args: ['install', 'demo', CHART, '--take-ownership'],
      values,
    });
    const operator = startOperatorProcess(await environmentOf(namespace, values));
    try {
      await operator.says('caches full', 30_000);
      await plane.request({
        method: 'POST',
        path: `/apis/layercache.io/v1alpha1/namespaces/${watched}/cachedmodelservices`,
        body: {
          apiVersion: 'layercache.io/v1alpha1',
          kind: 'CachedModelService',
          metadata: { name: 'vision' },
          spec: {
            backbone: { uri: 'https://models.example.com/resnet18.onnx' },
            accuracy: { maxDisagreement: '1%' },
            autoscaling: { minReplicas: 2, maxReplicas: 3 },
            networkPolicy: { mode: 'Enabled' },
          },
        },
      });
      await eventually(async () => {
        const path = `/apis/policy/v1/namespaces/${watched}/poddisruptionbudgets/vision`;
        expect((await plane.request({ path })).status).toBe(200);
        const deployment = `/apis/apps/v1/namespaces/${watched}/deployments/vision`;
        expect((await plane.request({ path: deployment })).status).toBe(200);
      }, 20_000);
    } finally {
      operator.kill('SIGTERM');
      await operator.ended;
    }
    const calls = plane
      .auditEvents()
      .filter(({ user }) => user.username === `system:serviceaccount:${namespace}:${ACCOUNT}`);
    expect(calls.length).toBeGreaterThan(20);
    expect(calls.filter(({ responseStatus }) => responseStatus?.code === 403)).toEqual([]);
    await expectHelm(plane, { major: 4, namespace, args: ['uninstall', 'demo'] });
  });
});
