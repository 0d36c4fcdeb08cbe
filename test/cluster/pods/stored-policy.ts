import { parsePolicy, type Policy } from '../../../crds/wire/policy.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { readObject } from './node-objects.ts';

/** The policy of a service as its ConfigMap has it, or why that is none. */
export async function storedPolicy(
  plane: ControlPlane,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<ReturnType<typeof parsePolicy>> {
  const at = { kind: 'ConfigMap', namespace, name: `${name}-policy` } as const;
  const { data = {} } = await readObject<{ data?: Record<string, string> }>(plane, at);
  return parsePolicy(data['policy.json'] ?? '');
}

/** The same, null where there is none. */
export async function storedPolicyOrNull(
  plane: ControlPlane,
  place: { readonly namespace: string; readonly name: string },
): Promise<Policy | null> {
  const read = await storedPolicy(plane, place);
  return read.ok ? read.value : null;
}
