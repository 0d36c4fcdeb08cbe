// A node with the operator that ships, one service of two replicas, traffic for it, and what the stages of the loop ask about.
import { setTimeout as pause } from 'node:timers/promises';
import type { Policy } from '../../../crds/wire/policy.ts';
import { eventually } from '../../support/eventually.ts';
import type { OwnRealNode } from '../../support/real-node.ts';
import { kubectlIn } from '../harness/kubectl-in.ts';
import { isReady, podsBy } from '../pods/node-objects.ts';
import { MODEL, runService, type RunningService } from '../pods/running-service.ts';
import { storedPolicyOrNull } from '../pods/stored-policy.ts';
import { startTraffic } from './example-traffic.ts';
import { readRevisions, type HeadRevision } from './head-revisions.ts';
import { createKubectlText, type KubectlText } from './kubectl-text.ts';
import { readTimes, type LoopTimes } from './policy-times.ts';
import type { Traffic } from './row-traffic.ts';
import { installTrainingOperator, onOwnNode } from './training-node.ts';
import { createWaiting, type Waiting } from './waiting.ts';

export const NAMESPACE = 'loop';
export const SERVICE = 'vision';
/** Not the pods of trainers. */
const SERVERS = `layercache.io/service=${SERVICE},app.kubernetes.io/component=server`;
const POLL_MS = 500;
/** Two processors run everything: a pod's start may take a minute beside a training. */
const PODS_WITHIN_MS = 300_000;

export interface LoopRun extends Waiting {
  readonly node: OwnRealNode;
  readonly vision: RunningService;
  readonly traffic: Traffic;
  readonly text: KubectlText;
  /** kubectl in the namespace of the service; throws what it says when it fails. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  readonly policy: () => Promise<Policy | null>;
  /** In the order in which they were made. */
  readonly revisions: () => Promise<readonly HeadRevision[]>;
  readonly times: () => Promise<LoopTimes>;
  /** Waits until exactly so many pods of servers are ready and no other is there. */
  readonly readyPods: (count: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * The service of the example as people write it; pods that stop in seconds, and that get what their traffic needs while a trainer takes
 * all the rest; a ramp of short steps. At first one exit may answer: heads trained on the same traffic again save as much as the first
 * ones, and are refused for it (NotBetter, seen).
 */
const SPEC = {
  replicas: 2,
  server: { warmup: { iterations: 1 }, drain: { delay: '5s', timeout: '15s' } },
  pod: { resources: { requests: { cpu: '300m', memory: '128Mi' }, limits: { memory: '2Gi' } } },
  heads: { training: { cooldown: '1m' } },
  tuning: { maxActiveExits: 1 },
  rollout: {
    minRequests: 50,
    steps: [
      // A third pod joins in this step.
      { share: '10%', hold: '90s' },
      { share: '50%', hold: '30s' },
      { share: '100%', hold: '30s' },
    ],
  },
};

export function startLoop(rate: number): Promise<LoopRun> {
  return onOwnNode((node) => runOn(node, rate));
}

async function runOn(node: OwnRealNode, rate: number): Promise<LoopRun> {
  const installation = await installTrainingOperator(node, NAMESPACE);
  const vision = await runService({ node, installation, name: SERVICE }, SPEC);
  const readyPods = (count: number): Promise<void> =>
    eventually(async () => {
      const pods = await podsBy(node, NAMESPACE, SERVERS);
      if (pods.length === count && pods.every(isReady)) return;
      await pause(POLL_MS);
      throw new Error(JSON.stringify(pods.map(({ metadata, status }) => [metadata, status])));
    }, PODS_WITHIN_MS);
  await readyPods(2);
  const traffic = await startTraffic(node, await vision.endpoint(), { model: MODEL, rate });
  const kubectl = kubectlIn(node, NAMESPACE);
  return {
    ...{ node, vision, traffic, kubectl, readyPods },
    ...createWaiting(node, NAMESPACE, traffic),
    text: createKubectlText(node, NAMESPACE, SERVICE),
    policy: () => storedPolicyOrNull(node, { namespace: NAMESPACE, name: SERVICE }),
    revisions: () => readRevisions(node, NAMESPACE),
    times: () => readTimes(node, { namespace: NAMESPACE, service: SERVICE }),
    stop: async () => {
      await traffic.stop();
      await node.stop();
    },
  };
}
