import { readServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { parsePolicy } from '../../../crds/wire/policy.ts';
import { namedRevisions } from '../../fleet/assess-acknowledgement.ts';
import type { Api, KubeObject } from '../../kube/api.ts';
import { getOrNull } from '../../kube/get-or-null.ts';
import { isTerminating } from '../../kube/owner.ts';
import { policyConfigMapName } from '../../plan/names.ts';
import type { InUse, Retention } from './select-expired.ts';

const DEFAULT_HISTORY_LIMIT = 5;

/** What a service names in spec and status. Of a spec that is broken elsewhere the pin counts all the same. */
export function retentionOf(service: KubeObject): Retention {
  const { heads: pinned = {} } = (service.spec ?? {}) as {
    readonly heads?: { readonly revision?: string; readonly historyLimit?: number };
  };
  const { heads = {}, tuning } = readServiceStatus(service.status);
  const tracks = [heads.stable, heads.candidate, heads.previous];
  const named = [
    pinned.revision,
    tuning?.recommendedRevision,
    ...tracks.map((track) => track?.revision),
  ];
  const names = new Set(named.filter((name) => name !== undefined));
  return {
    inUse: { names, digests: new Set() },
    historyLimit: pinned.historyLimit ?? DEFAULT_HISTORY_LIMIT,
  };
}

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/**
 * The same by consistent reads, with what the stored policy and the pods name: what destructive steps rest on. Null, so that
 * nothing is deleted, when the service is gone, going or another one by now, and when its policy is missing or cannot be read.
 */
export async function gatherRetention(
  api: Api,
  { namespace, name, uid }: ServiceRef,
  acknowledged: ReadonlySet<string>,
): Promise<Retention | null> {
  const service = await getOrNull(api, { kind: 'CachedModelService', namespace, name });
  if (service === null || isTerminating(service) || service.metadata.uid !== uid) return null;
  const policyName = policyConfigMapName(name);
  const policy = await getOrNull(api, { kind: 'ConfigMap', namespace, name: policyName });
  const digests = policy === null ? null : digestsOf(policy);
  if (digests === null) return null;
  const { inUse, historyLimit } = retentionOf(service);
  const all: InUse = { names: inUse.names, digests: new Set([...digests, ...acknowledged]) };
  return { inUse: all, historyLimit };
}

/** Before a backbone is known the ConfigMap holds no policy, and nothing is served by heads. */
function digestsOf(policyConfigMap: KubeObject): readonly string[] | null {
  const data = (policyConfigMap.data ?? {}) as Readonly<Record<string, string>>;
  const text = data['policy.json'];
  if (text === undefined) return [];
  const policy = parsePolicy(text);
  return policy.ok ? namedRevisions(policy.value) : null;
}
