// The controller of head revisions against a real API server; rules and faults are tested over the simulated one.
import { beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../../../operator/kube/client.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import {
  aBundleConfigMap,
  aPolicyConfigMap,
  aRevisionObject,
  aServiceObject,
  bundleOf,
} from '../../unit/operator/controllers/cache-head-revision/revisions.ts';
import { startController } from '../../unit/operator/controllers/cache-head-revision/controller-run.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { createObject, readObject } from '../pods/node-objects.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('head revisions', () => {
  beforeAll(() => installDefinitions(plane));

  test('are verified and kept as many as asked, by a status of their own field manager', async () => {
    const { name: namespace } = await plane.namespace();
    const api = createClient({
      access: loadAccess({ from: 'File', path: plane.kubeconfigPath }),
      clock: systemKubeClock,
      budget: null,
    });
    const limit = { heads: { historyLimit: 1 } };
    const service = await api.create(aServiceObject(namespace, limit));
    await createObject(plane, aPolicyConfigMap(namespace, null));
    for (const [i, owner] of [service, service, null].entries()) {
      const name = `r${i + 1}`;
      await createObject(plane, aRevisionObject({ name, mark: i + 1, namespace, owner }));
      const bytes = bundleOf(name === 'r3' ? 9 : i + 1);
      await createObject(plane, aBundleConfigMap({ name, namespace }, bytes));
    }
    startController(api, systemKubeClock, [namespace]);
    await eventually(async () => {
      const { stdout } = await plane.kubectl(['get', 'chr', '-n', namespace]);
      expect(stdout).toMatch(/^NAME +SERVICE +AVAILABLE +CERTIFIED +BOUND +AGE\n/);
      expect(stdout).toMatch(/r3 +vision +False/);
      expect(stdout.match(/vision +True/g)).toHaveLength(1);
      expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    }, 20_000);
    const { metadata } = await readObject<{
      metadata: { managedFields: { manager: string; subresource?: string }[] };
    }>(plane, { kind: 'CacheHeadRevision', namespace, name: 'r3' });
    expect(metadata.managedFields).toContainEqual(
      expect.objectContaining({
        manager: 'layercache-operator-bundles',
        operation: 'Apply',
        subresource: 'status',
      }),
    );
  });
});
