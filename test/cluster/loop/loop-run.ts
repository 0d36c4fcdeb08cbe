// A node with the operator that ships, one service of two replicas, traffic for it, and what the stages of the loop ask about.
import { setTimeout as pause } from 'node:timers/promises';
import type { Policy } from '../../../crds/wire/policy.ts';
import { eventually } from '../../support/eventually.ts';
import { startRealNode, type OwnRealNode } from '../../support/real-node.ts';
import { kubectlIn } from '../harness/kubectl-in.ts';
import { installOperator, OPERATOR_IMAGE } from '../pods/installation.ts';
import { isReady, podsBy } from '../pods/node-objects.ts';
import { MODEL, runService, type RunningService } from '../pods/running-service.ts';
import { storedPolicy } from '../pods/stored-policy.ts';
import { startTraffic } from './example-traffic.ts';
import { readRevisions, type HeadRevision } from './head-revisions.ts';
import { createKubectlText, type KubectlText } from './kubectl-text.ts';
import { PATIENT_LEASE } from './patient-lease.ts';
import { readTimes, type LoopTimes } from './policy-times.ts';
import type { Traffic } from './row-traffic.ts';
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

const TRAINER = {
  requests: { cpu: '100m', memory: '256Mi' },
  limits: { memory: '2Gi' },
};

export async function startLoop(rate: number): Promise<LoopRun> {
  const node = await startRealNode();
  try {
    return await runOn(node, rate);
  } catch (error) {
    await node.stop();
    throw error;
  }
}

async function runOn(node: OwnRealNode, rate: number): Promise<LoopRun> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const metadata = { name: NAMESPACE, labels };
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
  await node.request({ method: 'POST', path: '/api/v1/namespaces', body });
  const installation = await installOperator(node, {
    namespace: NAMESPACE,
    environment: {
      ...PATIENT_LEASE,
      LAYERCACHE_TRAINER_IMAGE: OPERATOR_IMAGE,
      LAYERCACHE_TRAINER_RESOURCES: JSON.stringify(TRAINER),
    },
  });
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
    policy: () => readPolicy(node),
    revisions: () => readRevisions(node, NAMESPACE),
    times: () => readTimes(node, { namespace: NAMESPACE, service: SERVICE }),
    stop: async () => {
      await traffic.stop();
      await node.stop();
    },
  };
}

async function readPolicy(node: OwnRealNode): Promise<Policy | null> {
  const read = await storedPolicy(node, { namespace: NAMESPACE, name: SERVICE });
  return read.ok ? read.value : null;
}
