import { comparePair, type Policy } from '../../../crds/wire/policy.ts';
import type { KubeObject } from '../../kube/api.ts';
import type { Publication } from '../../fleet/push-to-pod.ts';
import type { Applied } from '../../kube/apply.ts';
import { policyConfigMapName } from '../../plan/names.ts';
import type { ServiceToPlan } from '../../plan/service.ts';
import { applyChild } from './apply-child.ts';
import type { PlannedPolicy } from './decide.ts';
import { liveOf } from './gather.ts';
import { fetchedHeads } from './lifecycle/bundle-uris.ts';
import type { LifecycleMemory } from './lifecycle/lifecycle-memory.ts';
import type { ServicePass } from './service-pass.ts';

/** A policy, and the object of the cache in which it was found stored with all that lies beside it. */
export interface RestingPolicy {
  readonly live: KubeObject;
  readonly service: ServiceToPlan;
  readonly policy: Policy | null;
  readonly stableBundle: string | null;
  readonly epoch: number;
  readonly writer: string;
}

/**
 * Stores the policy under the UID and version that were read, and only then hands it to the fleet: of two leaders one gets
 * 409 and pushes nothing, and every policy that a pod sees once stood in the API server.
 */
export async function storePolicy(
  pass: ServicePass,
  service: ServiceToPlan,
  decided: PlannedPolicy,
): Promise<KubeObject | null> {
  const { shell, memory, gathered } = pass;
  const { deps, fleet } = shell;
  const { policy, epoch, writer } = decided;
  const stored = await applyPolicy(pass, service, decided);
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

/** Rendering and comparing a policy with its bundle, up to a megabyte, is spared while both and the stored object are the same. */
async function applyPolicy(
  pass: ServicePass,
  service: ServiceToPlan,
  { policy, stableBundle, epoch, writer, toConfigMap }: PlannedPolicy,
): Promise<Applied | null> {
  const { memory, gathered } = pass;
  const live = liveOf(gathered, 'ConfigMap', policyConfigMapName(service.name));
  const now = live && { live, service, policy, stableBundle, epoch, writer };
  if (now !== null && isSamePolicy(memory.restingPolicy, now)) {
    return { outcome: 'Skipped', object: now.live };
  }
  const applied = await applyChild(pass, toConfigMap(), { isConditional: true });
  memory.restingPolicy = applied?.outcome === 'Skipped' ? now : null;
  return applied;
}

function isSamePolicy(a: RestingPolicy | null, b: RestingPolicy): boolean {
  return (
    a?.live === b.live &&
    a.service === b.service &&
    a.policy === b.policy &&
    a.stableBundle === b.stableBundle &&
    a.epoch === b.epoch &&
    a.writer === b.writer
  );
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
