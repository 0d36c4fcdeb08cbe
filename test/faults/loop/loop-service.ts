import { readServiceStatus, type ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { find, ref } from '../sim/services.ts';
import type { LoopWorld } from './loop-world.ts';

/** What a person does to the service of a loop, and what it says. */
export async function annotate(
  { world }: LoopWorld,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const named: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(annotations)) named[`layercache.io/${name}`] = value;
  await world.user.mergePatch(ref('CachedModelService'), { metadata: { annotations: named } });
}

export function statusOf({ world }: LoopWorld): ServiceStatus {
  return readServiceStatus(find(world, 'CachedModelService')?.status);
}

/** Events of a reason with their texts, in their order. */
export function eventsOf(loop: LoopWorld, reason: string): string[] {
  return loop.events().filter((event) => event.startsWith(`${reason}: `));
}

export function requestOf(loop: LoopWorld): ServiceStatus['request'] {
  return statusOf(loop).request;
}
