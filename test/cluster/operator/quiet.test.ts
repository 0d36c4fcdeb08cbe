import { beforeAll, describe, expect, test } from 'vitest';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { runOperator } from './run-operators.ts';

const plane = await sharedControlPlane();
const MINUTE_MS = 60_000;

describe.skipIf(plane.unavailable !== null)(
  'an operator whose services are as they should be',
  () => {
    beforeAll(async () => {
      await installDefinitions(plane);
    });

    test('writes nothing but its Lease in a minute', async () => {
      const { name: namespace } = await plane.namespace();
      const operator = await runOperator(plane, namespace);
      await operator.says('caches full');
      const services = ['vision', 'sound', 'text'].map((name) => ({
        apiVersion: 'layercache.io/v1alpha1',
        kind: 'CachedModelService',
        metadata: { name, namespace },
        spec: {
          backbone: { uri: 'https://models.example.com/resnet18.onnx' },
          accuracy: { maxDisagreement: '1%' },
          networkPolicy: { mode: 'Enabled' },
          ...(name === 'text'
            ? { autoscaling: { minReplicas: 2, maxReplicas: 3 } }
            : { replicas: name === 'sound' ? 2 : 0 }),
        },
      }));
      const list = { apiVersion: 'v1', kind: 'List', items: services };
      const applied = await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(list) });
      expect(applied.code).toBe(0);
      // The autoscaler's own first word comes within 15 s and is worth a condition: until then services are on their way.
      let seen = { count: 0, atMs: performance.now() };
      await eventually(() => {
        const count = operator.writes().length;
        if (count !== seen.count) seen = { count, atMs: performance.now() };
        expect(count).toBeGreaterThan(10);
        expect(performance.now() - seen.atMs).toBeGreaterThan(20_000);
      }, MINUTE_MS);

      const before = operator.writes().length;
      const renewals = (): number =>
        operator.proxy.requests.filter(({ method }) => method === 'PUT').length;
      const renewedBefore = renewals();
      const fromMs = performance.now();
      await eventually(() => {
        expect(performance.now() - fromMs).toBeGreaterThan(MINUTE_MS);
      }, 2 * MINUTE_MS);
      expect(operator.writes().slice(before)).toEqual([]);
      expect(renewals()).toBeGreaterThan(renewedBefore + 100);
    }, 240_000);
  },
);
