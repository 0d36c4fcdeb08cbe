// A service whose children are rendered by operator/plan and applied by the test: what the operator makes, without it.
import { readService } from '../../../crds/v1alpha1/read-object.ts';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { createAdminKeys } from '../../../operator/fleet/identity/identities.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { planAdminSecret } from '../../../operator/plan/admin-secret.ts';
import { planChildren } from '../../../operator/plan/children.ts';
import type { ServiceDefaults } from '../../../operator/plan/defaults.ts';
import { planPolicyConfigMap } from '../../../operator/plan/policy-config-map.ts';
import { toServiceToPlan, type ServiceToPlan } from '../../../operator/plan/service.ts';
import { ROOT_KEY } from '../../support/admin-keys.ts';
import { eventually } from '../../support/eventually.ts';
import type { RealNode } from '../../support/real-node.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';
import type { Endpoint } from './example-model.ts';
import { forwardInside, type Forward } from './inside.ts';
import {
  applyAsOperator,
  applyObject,
  isReady,
  podsOf,
  readObject,
  type PodObject,
} from './node-objects.ts';

export const SERVER_IMAGE = 'localhost/layercache-server:pods';

/** Small pods, of an image that is on the node already. */
const SMALL: ServiceDefaults = {
  ...DEFAULTS,
  template: {
    ...DEFAULTS.template,
    image: SERVER_IMAGE,
    gpuImage: null,
    imagePullPolicy: 'Never',
    resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '1Gi' } },
  },
};

export interface RenderedService {
  readonly service: ServiceToPlan;
  pods(): Promise<readonly PodObject[]>;
  /** Waits until exactly so many pods are ready and no other is there. */
  readyPods(count: number): Promise<readonly PodObject[]>;
  endpoint(): Promise<Endpoint>;
  /** Applies the children of a changed spec. */
  change(spec: object): Promise<void>;
  /** Writes the policy that pods mount. */
  storePolicy(policy: string): Promise<void>;
  /** The pod's admin port, with the operator's key. */
  admin(pod: PodObject): Promise<AdminClient & { end(): Promise<void> }>;
}

const READY_MS = 60_000;

export async function renderService(
  node: RealNode,
  namespace: string,
  spec: object,
): Promise<RenderedService> {
  let service = await writeSpec(node, namespace, spec);
  const keys = { serviceUid: service.uid, generation: 1 };
  const secret = createAdminKeys(ROOT_KEY, keys, systemClock.nowMs());
  await applyAsOperator(node, planAdminSecret(service, 1, secret));
  const applyChildren = async (): Promise<void> => {
    const plan = planChildren({
      service,
      defaults: SMALL,
      installation: INSTALLATION,
      adminGeneration: 1,
      live: [],
      isDeploymentHeld: false,
    });
    for (const child of plan.apply) await applyAsOperator(node, child);
  };
  const storePolicy = async (policy: string | null): Promise<void> => {
    const stored = { policy, stableBundle: null, epoch: 1, writer: 'test' };
    await applyAsOperator(
      node,
      planPolicyConfigMap({ service, installation: INSTALLATION, stored }),
    );
  };
  await storePolicy(null);
  await applyChildren();
  const pods = (): Promise<readonly PodObject[]> => podsOf(node, namespace, service.name);
  return {
    service,
    pods,
    readyPods: (count) =>
      eventually(async () => {
        const found = await pods();
        if (found.length !== count || !found.every(isReady)) {
          throw new Error(JSON.stringify(found.map(({ status }) => status)));
        }
        return found;
      }, READY_MS),
    endpoint: async () => {
      const { spec: made } = await readObject<{ spec: { clusterIP: string } }>(node, {
        kind: 'Service',
        namespace,
        name: service.name,
      });
      return { host: made.clusterIP, port: 80 };
    },
    change: async (changed) => {
      service = await writeSpec(node, namespace, changed);
      await applyChildren();
    },
    storePolicy,
    admin: async (pod) => openAdmin(service.uid, await forwardInside(node, ipOf(pod), 8081), pod),
  };
}

async function writeSpec(node: RealNode, namespace: string, spec: object): Promise<ServiceToPlan> {
  const stored = await applyObject(node, {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name: 'vision', namespace },
    spec,
  });
  const read = readService(stored);
  if (!read.ok) throw new Error(read.message);
  return toServiceToPlan(read.value);
}

function openAdmin(
  serviceUid: string,
  forward: Forward,
  { metadata: { uid, name } }: PodObject,
): AdminClient & { end(): Promise<void> } {
  const connections = createPodConnections(ROOT_KEY, systemClock, () => forward.port);
  const client = connections.open(serviceUid, { uid, name, ip: '127.0.0.1', adminGeneration: 1 });
  return {
    ...client,
    end: async () => {
      client.close();
      await forward.close();
    },
  };
}

export function ipOf({ metadata, status }: PodObject): string {
  if (status.podIP === undefined) throw new Error(`pod ${metadata.name} has no address yet`);
  return status.podIP;
}
