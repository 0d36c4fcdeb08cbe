// A service that the operator runs, as a person sees it through the API server, and its pods as the operator reaches them.
import { expect, onTestFinished } from 'vitest';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { createPodConnections } from '../../../operator/fleet/pod-connections.ts';
import { systemClock } from '../../../operator/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import type { RealNode } from '../../support/real-node.ts';
import { EXAMPLE_URI, type Endpoint } from './example-model.ts';
import { forwardInside } from './inside.ts';
import type { Installation } from './installation.ts';
import {
  createObject,
  deleteObject,
  isReady,
  patchObject,
  podsOf,
  readObject,
  type PodObject,
} from './node-objects.ts';

export interface ServiceObject {
  readonly metadata: { readonly uid: string; readonly generation: number };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: ServiceStatus;
}

export interface RunningService {
  readonly name: string;
  readonly namespace: string;
  read(): Promise<ServiceObject>;
  /** Merged into the spec. */
  patch(spec: object): Promise<void>;
  /** Waits until the condition has this status and reason for the generation that is stored. */
  says(type: string, status: Condition['status'], reason: string): Promise<Condition>;
  pods(): Promise<readonly PodObject[]>;
  /** Waits until exactly so many pods are ready and no other is there. */
  readyPods(count: number): Promise<readonly PodObject[]>;
  endpoint(): Promise<Endpoint>;
  /** A pod's admin port, with the operator's key; ends with the test. */
  admin(pod: PodObject): Promise<AdminClient>;
  /** Asks for it; pods end later. */
  remove(): Promise<void>;
}

/** The example model with pods that stop quickly; what is given is merged over it, block by block. */
export const EXAMPLE = {
  modelName: 'fashion-mnist',
  backbone: { uri: EXAMPLE_URI },
  accuracy: { maxDisagreement: '1%' },
  server: { warmup: { iterations: 1 }, drain: { delay: '2s', timeout: '5s' } },
};
export const MODEL = EXAMPLE.modelName;

export interface ServicePlace {
  readonly node: RealNode;
  readonly installation: Installation;
  readonly name: string;
  /** @defaultValue that of the installation */
  readonly namespace?: string;
  /** Of a test that runs beside others. @defaultValue that of the test that runs */
  readonly onTestFinished?: typeof onTestFinished;
}

/** Creates a service; one made inside a test is deleted with it. */
export async function runService(place: ServicePlace, spec: object = {}): Promise<RunningService> {
  const { node, installation, name, namespace = installation.namespace } = place;
  const ref = { kind: 'CachedModelService', namespace, name } as const;
  await createObject(node, {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: { name, namespace },
    spec: { ...EXAMPLE, ...spec },
  });
  const read = (): Promise<ServiceObject> => readObject<ServiceObject>(node, ref);
  const pods = (): Promise<readonly PodObject[]> => podsOf(node, namespace, name);
  const remove = (): Promise<void> => deleteObject(node, ref);
  const service: RunningService = {
    ...{ name, namespace, read, pods, remove },
    patch: (changed) => patchObject(node, ref, { spec: changed }),
    says: (type, status, reason) =>
      eventually(async () => {
        const { metadata, status: reported } = await read();
        const found = reported.conditions?.find((condition) => condition.type === type);
        const wanted = { status, reason, observedGeneration: metadata.generation };
        expect(found, JSON.stringify(reported.conditions)).toMatchObject(wanted);
        return found!;
      }, NODE_WAIT_MS),
    readyPods: (count) =>
      eventually(async () => {
        const found = await pods();
        if (found.length !== count || !found.every(isReady)) {
          throw new Error(JSON.stringify(found.map(({ metadata, status }) => [metadata, status])));
        }
        return found;
      }, NODE_WAIT_MS),
    endpoint: async () => {
      const { spec: made } = await readObject<{ spec: { clusterIP: string } }>(node, {
        ...ref,
        kind: 'Service',
      });
      return { host: made.clusterIP, port: 80 };
    },
    admin: async (pod) => openAdmin(place, (await read()).metadata.uid, pod),
  };
  try {
    (place.onTestFinished ?? onTestFinished)(remove);
  } catch {
    // Made in a hook: its namespace goes.
  }
  return service;
}

async function openAdmin(
  { node, installation }: ServicePlace,
  serviceUid: string,
  pod: PodObject,
): Promise<AdminClient> {
  const forward = await forwardInside(node, ipOf(pod), 8081);
  const root = await installation.rootKey();
  const { uid, name } = pod.metadata;
  const client = createPodConnections(root, systemClock, () => forward.port).open(serviceUid, {
    ...{ uid, name },
    ip: '127.0.0.1',
    adminGeneration: 1,
  });
  onTestFinished(async () => {
    client.close();
    await forward.close();
  });
  return client;
}

export function ipOf({ metadata, status }: PodObject): string {
  if (status.podIP === undefined) throw new Error(`pod ${metadata.name} has no address yet`);
  return status.podIP;
}
