import type { KubeObject } from '../kube/api.ts';
import { isJsonObject, listAt, objectAt, type JsonObject } from '../plan/json-object.ts';

/**
 * What decisions and a status read of a pod: ten thousand fit, and what is left is equal in most of them (`shareEqual`). Without
 * environment, managed fields, addresses beside its own, times of conditions, images, and volumes other than Secrets, which tell
 * whose keys it has.
 */
export function trimPod(pod: KubeObject): KubeObject {
  const { apiVersion, kind, metadata } = pod;
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels, ...rest } = metadata;
  const { ownerReferences, creationTimestamp } = rest;
  const kept = {
    ...{ name, namespace, uid, resourceVersion, labels, ownerReferences, creationTimestamp },
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  };
  const volumes = listAt(pod, 'spec', 'volumes');
  return {
    ...{ apiVersion, kind },
    metadata: kept as KubeObject['metadata'],
    spec: {
      volumes: volumes.flatMap(({ secret }) => (isJsonObject(secret) ? [trimSecret(secret)] : [])),
    },
    status: trimStatus(pod),
  };
}

function trimSecret({ secretName }: JsonObject): JsonObject {
  return { secret: { secretName } };
}

const CONTAINERS = ['initContainerStatuses', 'containerStatuses'] as const;

function trimStatus(pod: KubeObject): JsonObject {
  const { phase, podIP } = objectAt(pod, 'status');
  const containers = CONTAINERS.map(
    (list) => [list, listAt(pod, 'status', list).map(trimContainer)] as const,
  );
  return {
    ...pick({ phase, podIP }, ['phase', 'podIP']),
    conditions: listAt(pod, 'status', 'conditions').map((condition) =>
      pick(condition, ['type', 'status', 'reason', 'message']),
    ),
    ...Object.fromEntries(containers),
  };
}

function trimContainer(container: JsonObject): JsonObject {
  return {
    ...pick(container, ['name', 'restartCount']),
    state: pick(objectAt(container, 'state'), ['waiting', 'terminated']),
    lastState: pick(objectAt(container, 'lastState'), ['waiting', 'terminated']),
  };
}

/** Those of the fields that are there. */
function pick(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields
      .filter((field) => object[field] !== undefined)
      .map((field) => [field, object[field]] as const),
  );
}
