// Services as they should be, and how long their operator writes nothing: started before other tests of a file, asked at its end.
import { expect } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { startOperator } from './run-operators.ts';

const MINUTE_MS = 60_000;
/** With nothing written for so long, all is said: an autoscaler has its first word within a second or so. */
const SETTLED_MS = 8_000;

export interface RestingOperator {
  /** Waits for the end of a minute that began once the services had settled; resolves with what was written in it. */
  minute(): Promise<readonly string[]>;
  end(): Promise<void>;
}

export async function startRestingOperator(plane: ControlPlane): Promise<RestingOperator> {
  const { name: namespace, delete: remove } = await plane.namespace();
  const operator = await startOperator(plane, namespace);
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
  expect(applied.code, applied.stderr).toBe(0);

  const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/text`;
  async function watch(): Promise<readonly string[]> {
    let seen = { count: 0, atMs: performance.now() };
    await eventually(async () => {
      const count = operator.writes().length;
      if (count !== seen.count) seen = { count, atMs: performance.now() };
      expect(count).toBeGreaterThan(10);
      expect(performance.now() - seen.atMs).toBeGreaterThan(SETTLED_MS);
      // The autoscaler's own word is worth a condition: until then a service is on its way.
      expect(JSON.stringify((await plane.request({ path })).body)).toContain('AutoscalingActive');
    }, MINUTE_MS);
    const before = operator.writes().length;
    const renewals = (): number =>
      operator.proxy.requests.filter(({ method }) => method === 'PUT').length;
    const renewedBefore = renewals();
    const fromMs = performance.now();
    await eventually(() => {
      expect(performance.now() - fromMs).toBeGreaterThan(MINUTE_MS);
    }, 2 * MINUTE_MS);
    expect(renewals()).toBeGreaterThan(renewedBefore + 100);
    return operator.writes().slice(before);
  }
  const watched = watch();
  // Who asks later gets it then.
  watched.catch(() => undefined);
  return {
    minute: () => watched,
    end: async () => {
      await operator.end();
      await remove();
    },
  };
}
