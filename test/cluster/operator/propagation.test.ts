import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { MODEL, startTestServer } from '../../support/test-server.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { runTenPods } from './ten-pods.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('a hot change of a spec', () => {
  beforeAll(() => installDefinitions(plane));

  // How fast: propagation.long.ts.
  test('is acknowledged by all of ten pods, change after change, and the status says so', async () => {
    const { name: namespace } = await plane.namespace();
    const pods = await runTenPods(plane, namespace, {
      modelName: MODEL,
      startServer: async (environment) => {
        const server = await startTestServer({ environment });
        return { adminPort: server.admin, close: () => server.close() };
      },
    });
    onTestFinished(() => pods.stop());
    for (const length of [101, 102, 101, 103]) await pods.change(length);
    await eventually(async () => {
      expect(await pods.policyApplied()).toBe('True AllReplicas');
    }, 20_000);
  });
});
