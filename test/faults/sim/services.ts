import { expect } from 'vitest';
import { readServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import type { KubeObject, ObjectRef } from '../../../operator/kube/api.ts';
import type { KindName } from '../../../operator/kube/kinds.ts';
import type { SimulatedCall } from '../../support/simulated-api.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { NAMESPACE, type World } from './world.ts';

/** What the operator makes for `vision` with a name of its own; some only if its spec asks for it. */
export const CHILDREN: readonly (readonly [KindName, string])[] = [
  ['ConfigMap', 'vision-policy'],
  ['ServiceAccount', 'vision'],
  ['ServiceAccount', 'vision-trainer'],
  ['Service', 'vision'],
  ['Deployment', 'vision'],
  ['HorizontalPodAutoscaler', 'vision'],
  ['PodDisruptionBudget', 'vision'],
  ['NetworkPolicy', 'vision'],
  ['NetworkPolicy', 'vision-trainer'],
];

/** A service `vision` as a user writes it. */
export function aServiceObject(spec: Readonly<Record<string, unknown>> = {}): KubeObject {
  return withNamespace(aManifest({ ...spec }) as KubeObject);
}

function withNamespace(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace: NAMESPACE } };
}

export function ref(kind: KindName, name = 'vision'): ObjectRef {
  return { kind, namespace: NAMESPACE, name };
}

export function find({ cluster }: World, kind: KindName, name = 'vision'): KubeObject | undefined {
  return cluster.objects(kind).find(({ metadata }) => metadata.name === name);
}

/** `True Serving`; undefined: there is no such condition. */
export function conditionOf(world: World, type: string): string | undefined {
  const found = fullConditionOf(world, type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
}

export function fullConditionOf(world: World, type: string): Condition | undefined {
  const { conditions } = readServiceStatus(find(world, 'CachedModelService')?.status ?? {});
  return conditions?.find((condition) => condition.type === type);
}

/** Writes by operators, without events. */
export function operatorWrites({ cluster }: World): SimulatedCall[] {
  return cluster.writes.filter(
    ({ client, kind }) => client.startsWith('operator-') && kind !== 'Event',
  );
}

/** `patch Deployment/vision`. */
export function describeWrites(writes: readonly SimulatedCall[]): string[] {
  return writes.map(({ verb, kind, name, subresource }) =>
    `${verb} ${kind}/${String(name)} ${subresource ?? ''}`.trim(),
  );
}

/** The world is as its user wants it: ready, and every pod has the policy. */
export function expectServing(world: World): void {
  const { message = '' } = fullConditionOf(world, 'Ready') ?? {};
  expect(conditionOf(world, 'Ready'), message).toBe('True Serving');
  expect(conditionOf(world, 'PolicyApplied')).toBe('True AllReplicas');
}

/** Merge-patches the spec of `vision`. */
export async function editSpec(
  { user }: World,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  await user.mergePatch(ref('CachedModelService'), { spec });
}

/** The spec of `vision` as it is stored. */
export function storedSpec(world: World): Readonly<Record<string, unknown>> {
  return (find(world, 'CachedModelService')?.spec ?? {}) as Readonly<Record<string, unknown>>;
}

/** Puts a whole spec in place of the one of `vision`, as `kubectl replace` does. */
export async function replaceSpec(
  world: World,
  spec: Readonly<Record<string, unknown>>,
): Promise<void> {
  const object = find(world, 'CachedModelService');
  if (object !== undefined) await world.user.replace({ ...object, spec });
}
