import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Api } from '../../../operator/kube/api.ts';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import type { KindName } from '../../../operator/kube/kinds.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { kubectlIn, type Kubectl } from '../harness/kubectl-in.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { runControllers } from './run-controllers.ts';

const plane = await sharedControlPlane();
const CHILDREN: readonly (readonly [KindName, string])[] = [
  ['ConfigMap', 'resnet-policy'],
  ['Secret', 'resnet-admin-g1'],
  ['ServiceAccount', 'resnet'],
  ['ServiceAccount', 'resnet-trainer'],
  ['Service', 'resnet'],
  ['Deployment', 'resnet'],
];

describe.skipIf(plane.unavailable !== null)('a service on a real API server', () => {
  let namespace: string;
  let user: Api;
  let writes: readonly string[];
  let kubectl: Kubectl;

  beforeAll(() => installDefinitions(plane));

  beforeEach(async () => {
    namespace = (await plane.namespace()).name;
    kubectl = kubectlIn(plane, namespace);
    const running = runControllers(plane, namespace);
    ({ user, writes } = running);
    return () => running.stop();
  });

  test('becomes Ready from the sample, rests, is repaired within 10 s and leaves nothing behind', async () => {
    await kubectl('apply', '-f', 'crds/samples/smallest.yaml');
    await kubectl('wait', 'cms/resnet', '--for=condition=Ready', '--timeout=30s');
    await kubectl('wait', 'cms/resnet', '--for=condition=PolicyApplied', '--timeout=30s');
    await kubectl(
      'wait',
      'cms/resnet',
      '--for=jsonpath={.status.policy.appliedReplicas}=1',
      '--timeout=40s',
    );
    for (const [kind, name] of CHILDREN) {
      expect((await user.get({ kind, namespace, name })).metadata.name).toBe(name);
    }
    expect(await kubectl('get', 'cms/resnet')).toMatch(/resnet +True +Serving +1 /);
    // The first six are one each; more of them would be writes that say nothing new.
    expect(writes.slice(0, 6).sort()).toEqual(
      CHILDREN.map(
        ([kind, name]) => `${kind === 'Secret' ? 'create' : 'patch'} ${kind}/${name}`,
      ).sort(),
    );
    expect(writes.slice(6).every((write) => /CachedModelService|ConfigMap/.test(write))).toBe(true);

    const settled = await restsFor(10_000);
    await kubectl('scale', 'deployment/resnet', '--replicas=3');
    await kubectl('label', 'service/resnet', 'app.kubernetes.io/managed-by-');
    await kubectl(
      'patch',
      'service/resnet',
      '--type=merge',
      '-p',
      '{"spec":{"selector":{"a":"b"}}}',
    );
    await kubectl('delete', 'serviceaccount/resnet');
    await eventually(async () => {
      const deployment = await user.get({ kind: 'Deployment', namespace, name: 'resnet' });
      expect(deployment.spec).toMatchObject({ replicas: 1 });
      const service = await user.get({ kind: 'Service', namespace, name: 'resnet' });
      expect(service.metadata.labels).toHaveProperty(['app.kubernetes.io/managed-by']);
      expect(service.spec).not.toHaveProperty('selector.a');
      await user.get({ kind: 'ServiceAccount', namespace, name: 'resnet' });
    }, 10_000);
    expect(writes.length).toBeGreaterThan(settled);

    await kubectl('delete', 'cms/resnet', '--wait');
    await eventually(async () => {
      for (const kind of new Set(CHILDREN.map(([kind]) => kind))) {
        const { items } = await user.list(kind, {
          namespace,
          labelSelector: 'layercache.io/service',
        });
        expect(items).toEqual([]);
      }
    }, 60_000);
  });

  /** Waits until nothing was written for so long; the number of writes so far. */
  async function restsFor(ms: number): Promise<number> {
    let seen = writes.length;
    let sinceMs = systemKubeClock.monotonicMs();
    return eventually(() => {
      if (writes.length !== seen) {
        seen = writes.length;
        sinceMs = systemKubeClock.monotonicMs();
      }
      expect(systemKubeClock.monotonicMs() - sinceMs).toBeGreaterThan(ms);
      return seen;
    }, 40_000);
  }
});
