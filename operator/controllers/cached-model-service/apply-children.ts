import { policyConfigMapName } from '../../plan/names.ts';
import { applyChild } from './apply-child.ts';
import type { Decision } from './decide.ts';
import { makeAdminSecret } from './make-admin-secret.ts';
import { liveOf } from './gather.ts';
import { removeChild } from './remove-child.ts';
import type { ServicePass } from './service-pass.ts';
import { storePolicy } from './store-policy.ts';

/** Policy, keys, then the workload in the order of the plan; what pods mount is there before the Deployment is. */
export async function applyChildren(pass: ServicePass, decision: Decision): Promise<void> {
  const { service, policy, children, admin } = decision;
  const stored = policy === null ? null : await storePolicy(pass, service, policy);
  const hasKeys = await makeAdminSecret(pass, service, admin.adminGeneration);
  // An existing Deployment goes on being repaired: its pods have what they mount.
  const isReadyForPods = hasKeys && (stored !== null || hasPolicy(pass, decision));
  let isAtRest = children.remove.length === 0;
  for (const child of children.apply) {
    const isHeld = child.kind === 'Deployment' && !isReadyForPods;
    const applied = isHeld ? null : await applyChild(pass, child);
    isAtRest &&= applied?.outcome === 'Skipped';
  }
  for (const child of children.remove) await removeChild(pass, child);
  pass.memory.children.applied(isAtRest);
}

function hasPolicy({ gathered }: ServicePass, { policy, service }: Decision): boolean {
  return (
    policy !== null && liveOf(gathered, 'ConfigMap', policyConfigMapName(service.name)) !== null
  );
}
