// From a backbone and a budget to certified exits on two real pods, by traffic alone: with the images that ship, the rights
// that ship, trainers as Jobs under Pod Security restricted, and every connection between them over mutual TLS.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Policy } from '../../../crds/wire/policy.ts';
import { parsePolicy } from '../../../crds/wire/policy.ts';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { whyUnavailable } from '../../support/control-plane.ts';
import { installOperator, OPERATOR_IMAGE } from '../pods/installation.ts';
import { readObject } from '../pods/node-objects.ts';
import { MODEL, runService, type RunningService } from '../pods/running-service.ts';
import { startTraffic, type Traffic } from './example-traffic.ts';

const unavailable = await whyUnavailable('node');
const NAMESPACE = 'loop';
const MINUTE = 60_000;

describe.skipIf(unavailable !== null)('the loop on a real node', () => {
  let node: OwnRealNode;
  let vision: RunningService;
  let traffic: Traffic;

  beforeAll(async () => {
    node = await startRealNode();
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const metadata = { name: NAMESPACE, labels };
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
    await node.request({ method: 'POST', path: '/api/v1/namespaces', body });
    const installation = await installOperator(node, {
      namespace: NAMESPACE,
      environment: {
        LAYERCACHE_LOG_LEVEL: 'debug',
        LAYERCACHE_TRAINER_IMAGE: OPERATOR_IMAGE,
        LAYERCACHE_TRAINER_RESOURCES: JSON.stringify({
          requests: { cpu: '100m', memory: '256Mi' },
          limits: { memory: '2Gi' },
        }),
      },
    });
    vision = await runService(
      { node, installation, name: 'vision' },
      {
        replicas: 2,
        pod: {
          resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '2Gi' } },
        },
        heads: { training: { cooldown: '1m' } },
        rollout: {
          minRequests: 50,
          steps: [
            { share: '25%', hold: '20s' },
            { share: '100%', hold: '20s' },
          ],
        },
      },
    );
    await vision.readyPods(2);
  }, 5 * MINUTE);
  afterAll(() => node.stop(), MINUTE);

  const kubectl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await node.kubectl([...args, '-n', NAMESPACE]);
    return stdout + stderr;
  };

  async function policyOf(): Promise<Policy | null> {
    const ref = { kind: 'ConfigMap', namespace: NAMESPACE, name: 'vision-policy' } as const;
    const { data = {} } = await readObject<{ data?: Record<string, string> }>(node, ref);
    const read = parsePolicy(data['policy.json'] ?? '');
    return read.ok ? read.value : null;
  }

  /** Waits for it, and tells all that is known when it does not come. */
  async function reaches(what: string, holds: () => Promise<boolean>, ms: number): Promise<void> {
    try {
      await eventually(async () => {
        if (!(await holds())) throw new Error(what);
      }, ms);
    } catch (error) {
      const parts = [
        await kubectl('get', 'cms,chr,jobs,pods,configmaps', '-o', 'wide'),
        await kubectl('get', 'events', '--sort-by=.metadata.creationTimestamp'),
        await kubectl('logs', '-l', 'app.kubernetes.io/component=trainer', '--tail=50'),
        (await kubectl('logs', 'deployment/layercache-operator', '--tail=400'))
          .split('\n')
          .filter((line) => !line.includes('"pass ended"'))
          .slice(-80)
          .join('\n'),
        JSON.stringify([traffic.answered, [...traffic.exits], traffic.failures.slice(0, 5)]),
      ];
      throw new Error(`${what}\n${parts.join('\n---\n')}`, { cause: error });
    }
  }

  test(
    'traffic leads to a Job, a revision, a certificate and early answers on every pod, and no request fails',
    async () => {
      traffic = await startTraffic(node, await vision.endpoint(), { model: MODEL, rate: 20 });
      try {
        const has = async (kind: string): Promise<boolean> =>
          (await kubectl('get', kind, '-o', 'name')).includes('vision-');
        await reaches('a training Job', () => has('jobs'), 12 * MINUTE);
        await reaches('a head revision', () => has('cacheheadrevisions'), 8 * MINUTE);
        const isShadowed = async (): Promise<boolean> =>
          (await policyOf())?.candidate?.stage === 'Shadowing';
        await reaches('a shadowed candidate', isShadowed, 2 * MINUTE);
        const isServing = async (): Promise<boolean> => {
          const policy = await policyOf();
          return policy?.exitsEnabled === true && policy.stable !== null;
        };
        await reaches('promotion', isServing, 20 * MINUTE);
        const before = new Map(traffic.exits);
        const leaves = (): Promise<boolean> =>
          Promise.resolve(
            [...traffic.exits].some(
              ([exit, rows]) => exit !== 'backbone' && rows > (before.get(exit) ?? 0),
            ),
          );
        await reaches('early answers', leaves, MINUTE);
        process.stderr.write(
          `${await kubectl('get', 'cms,chr,jobs,pods')}\n${await kubectl('get', 'events', '--sort-by=.metadata.creationTimestamp')}\n`,
        );
        process.stderr.write(`${await kubectl('get', 'cms/vision', '-o', 'yaml')}\n`);
        process.stderr.write(
          `${JSON.stringify([traffic.answered, [...traffic.exits], traffic.failures.slice(0, 5)])}\n`,
        );
        expect(traffic.failures).toEqual([]);
      } finally {
        await traffic.stop();
      }
    },
    45 * MINUTE,
  );
});
