import type { KubeObject } from '../../kube/api.ts';
import { refOf } from '../../kube/api.ts';
import type { KindName } from '../../kube/kinds.ts';
import { applyChild } from './apply-child.ts';
import type { Decision } from './decide.ts';
import { makeAdminSecret } from './make-admin-secret.ts';
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

async function removeChild(
  { shell, memory, gathered, attempt }: ServicePass,
  child: KubeObject,
): Promise<void> {
  const { api, clock, log } = shell.deps;
  const { uid = '', resourceVersion = '', name } = child.metadata;
  const part = { verb: 'delete', kind: child.kind as KindName, name, body: null } as const;
  const gone = await attempt.run(part, () => api.delete(refOf(child), { uid, resourceVersion }));
  if (gone === null) return;
  memory.written.deleted(child, clock.monotonicMs());
  const facts = { controller: 'cached-model-service', key: gathered.key, kind: child.kind };
  log.info({ ...facts, name }, 'child removed');
}
