import { refOf, type KubeObject } from '../../kube/api.ts';
import type { KindName } from '../../kube/kinds.ts';
import type { ServicePass } from './service-pass.ts';

/** Deletes a child as it was seen, and no other version of it. False: not deleted, for a reason that the attempt has kept. */
export async function removeChild(
  { shell, memory, gathered, attempt }: ServicePass,
  child: KubeObject,
): Promise<boolean> {
  const { api, clock, log } = shell.deps;
  const { uid = '', resourceVersion = '', name } = child.metadata;
  const part = { verb: 'delete', kind: child.kind as KindName, name, body: null } as const;
  const gone = await attempt.run(part, () => api.delete(refOf(child), { uid, resourceVersion }));
  if (gone === null) return false;
  memory.written.deleted(child, clock.monotonicMs());
  const facts = { controller: 'cached-model-service', key: gathered.key, kind: child.kind };
  log.info({ ...facts, name }, 'child removed');
  return true;
}
