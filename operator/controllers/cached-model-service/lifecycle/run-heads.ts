import type { PolicyContent } from '../../../lifecycle/types.ts';
import { findNameConflict } from '../../../plan/conflicts.ts';
import { ledgerConfigMapName, policyConfigMapName } from '../../../plan/names.ts';
import { storedPolicy } from '../../../plan/policy-config-map.ts';
import type { StatusFacts } from '../../../plan/status/facts.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import { runTraining } from '../training/run-training.ts';
import { mountedBundle } from './load-heads.ts';
import { runLifecycle } from './run-lifecycle.ts';
import { writeRevisionStatus } from './status/write-revision-status.ts';

/** What one pass does about heads, around the policy that it stores. */
export interface HeadsOfPass {
  /** Absent: the ledger's name is taken, so the service is a plain one. */
  readonly content?: PolicyContent | null;
  readonly mustClaim?: boolean;
  readonly bundleOf: (headRevision: string) => string | null;
  /** For the status. */
  readonly facts: StatusFacts['lifecycle'];
  /** What may be done once the policy is stored. */
  readonly afterPolicy: (adminGeneration: number) => Promise<void>;
}

export async function runHeads(pass: ServicePass, service: ServiceToPlan): Promise<HeadsOfPass> {
  const bundleOf = (digest: string): string | null => findBundle(pass, digest);
  const ledger = liveOf(pass.gathered, 'ConfigMap', ledgerConfigMapName(service.name));
  if (findNameConflict(service, ledger) !== null) {
    return { bundleOf, facts: null, afterPolicy: () => Promise.resolve() };
  }
  const outcome = await runLifecycle(pass, service);
  const { content, plan, training, mustClaim, facts } = outcome;
  return {
    ...{ content, bundleOf, mustClaim, facts },
    afterPolicy: async (adminGeneration) => {
      if (plan === null) return;
      await writeRevisionStatus(pass, plan.ledger);
      const parent = plan.ledger.stable?.headRevision ?? null;
      const { training: request } = plan;
      await runTraining(pass, { service, adminGeneration, request, gathered: training, parent });
    },
  };
}

/** While nothing can be decided, what lies beside the policy stays beside it. */
function findBundle({ gathered, memory }: ServicePass, digest: string): string | null {
  const known = memory.lifecycle.heads.get(digest);
  if (known !== undefined) return known.base64;
  const live = liveOf(gathered, 'ConfigMap', policyConfigMapName(gathered.object.metadata.name));
  return storedPolicy(live)?.stable?.headRevision === digest ? mountedBundle(live) : null;
}
