import { expect } from 'vitest';
import { comparePair } from '../../../crds/wire/policy.ts';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { find } from './services.ts';
import type { World } from './world.ts';

type Pair = Parameters<typeof comparePair>[0];

/** No pod of the service has a policy above the stored one: what is pushed was stored first. Says nothing while none can be read. */
export function expectNeverAhead(world: World): void {
  const stored = readPair(ownChild(world, 'ConfigMap', 'vision-policy')?.data);
  if (stored === null) return;
  const ahead = ownPods(world)
    .map(({ metadata }) => world.pods.get(metadata.uid ?? '')?.acknowledgement ?? stored)
    .filter((seen) => comparePair(seen, stored) > 0);
  expect(ahead, `above ${stored.epoch}.${stored.revision}`).toEqual([]);
}

function ownPods(world: World): readonly KubeObject[] {
  const uid = ownChild(world, 'Deployment', 'vision')?.metadata.uid;
  return world.cluster
    .objects('Pod')
    .filter(({ metadata }) => uid !== undefined && metadata.ownerReferences?.[0]?.uid === uid);
}

/** Of the service that is there now, not of one of before. */
function ownChild(
  world: World,
  kind: 'ConfigMap' | 'Deployment',
  name: string,
): KubeObject | undefined {
  const service = find(world, 'CachedModelService');
  const child = find(world, kind, name);
  const owner = child?.metadata.ownerReferences?.[0]?.uid;
  return service !== undefined && owner === service.metadata.uid ? child : undefined;
}

function readPair(data: unknown): Pair | null {
  const text = (data as Readonly<Record<string, string>> | undefined)?.['policy.json'];
  try {
    return text === undefined ? null : (JSON.parse(text) as Pair);
  } catch {
    return null;
  }
}
