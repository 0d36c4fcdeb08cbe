import type { Decision } from './decide.ts';
import { comparePair } from '../../../crds/wire/policy.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { Publication } from '../../fleet/push-to-pod.ts';
import { applyChild } from './apply-child.ts';
import { fetchedHeads } from './lifecycle/bundle-uris.ts';
import type { LifecycleMemory } from './lifecycle/lifecycle-memory.ts';
import type { ServicePass } from './service-pass.ts';

/**
 * Stores the policy under the UID and version that were read, and only then hands it to the fleet: of two leaders one gets
 * 409 and pushes nothing, and every policy that a pod sees once stood in the API server.
 */
export async function storePolicy(
  pass: ServicePass,
  decided: NonNullable<Decision['policy']>,
): Promise<KubeObject | null> {
  const { shell, memory, gathered } = pass;
  const { deps, fleet } = shell;
  const { policy, epoch, writer, configMap } = decided;
  const stored = await applyChild(pass, configMap, { isConditional: true });
  if (stored === null) return null;
  if (writer === deps.writer) memory.policy = { epoch, policy };
  if (stored.outcome !== 'Skipped') deps.metrics.policyPublished(gathered.key, 'Mount');
  if (policy === null) return stored.object;
  const trial = trialOf(memory.lifecycle);
  if (!isPublished(fleet.publication(gathered.key), { policy, trial })) {
    // Nobody waits for pods: what they answer comes back as a change of the fleet.
    const fetched = fetchedHeads(policy);
    const own = [...memory.lifecycle.heads].filter(([digest]) => !fetched.has(digest));
    const bundles = new Map(own.map(([digest, { bytes }]) => [digest, bytes]));
    void fleet.publish(gathered.key, { policy, bundles, trial });
    deps.metrics.policyPublished(gathered.key, 'Push');
  }
  return stored.object;
}

/** A fleet that was left knows none: pods that are followed again get the policy again. */
function isPublished(
  published: Publication | null,
  { policy, trial }: Pick<Publication, 'policy' | 'trial'>,
): boolean {
  if (published === null || comparePair(published.policy, policy) !== 0) return false;
  return published.trial?.podUid === trial?.podUid;
}

/** The pod that loads the candidate before the others do. */
function trialOf({ ledger }: LifecycleMemory): Publication['trial'] {
  const { headRevision, first = null } = ledger?.candidate ?? {};
  if (headRevision === undefined || first === null) return undefined;
  return { headRevision, podUid: first.podUid };
}
