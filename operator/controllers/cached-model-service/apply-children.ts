import { applyChild } from './apply-child.ts';
import type { Decision } from './decide.ts';
import { makeAdminSecret } from './make-admin-secret.ts';
import { removeChild } from './remove-child.ts';
import type { ServicePass } from './service-pass.ts';
import { storePolicy } from './store-policy.ts';

/** Policy, keys, then the workload in the order of the plan; what pods mount is there before the Deployment is. */
export async function applyChildren(pass: ServicePass, decision: Decision): Promise<void> {
  const { service, policy, children, admin } = decision;
  const stored = policy === null ? null : await storePolicy(pass, policy);
  const hasKeys = await makeAdminSecret(pass, service, admin.adminGeneration);
  // An existing Deployment goes on being repaired: its pods have what they mount.
  const isReadyForPods = hasKeys && (stored !== null || hasPolicy(pass, decision));
  for (const child of children.apply) {
    if (child.kind === 'Deployment' && !isReadyForPods) continue;
    await applyChild(pass, child);
  }
  for (const child of children.remove) await removeChild(pass, child);
}

function hasPolicy({ gathered }: ServicePass, { policy }: Decision): boolean {
  return gathered.live.some(
    ({ kind, metadata }) =>
      kind === policy?.configMap.kind && metadata.name === policy.configMap.metadata.name,
  );
}
