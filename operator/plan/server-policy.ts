import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';
import { placeFields } from '../../crds/wire/exit-place.ts';
import { serializePolicy, type Policy } from '../../crds/wire/policy.ts';
import { sourceFields, type SelectedExit } from './select-exits.ts';

type PolicyContent = Omit<Policy, 'epoch' | 'revision'>;

/** The policy of a service without heads: hot settings, and exits to sample; nothing leaves early. */
export function planPlainPolicy(
  settings: ServiceSettings,
  backboneDigest: string,
  exits: readonly SelectedExit[],
): PolicyContent {
  const isDisabled = settings.exitMode === 'Disabled';
  return {
    schemaVersion: 1,
    model: settings.model,
    backboneDigest,
    exitsEnabled: false,
    budget: settings.budget,
    confidence: settings.confidence,
    exits: exits.map((exit) => ({
      name: exit.name,
      ...placeFields(exit),
      ...sourceFields(exit.sourceHeader),
      mode: isDisabled ? 'Disabled' : exit.mode,
    })),
    stable: null,
    candidate: null,
    auditRate: settings.auditRate,
    maxAgeSeconds: settings.maxAgeSeconds,
    limits: settings.limits,
  };
}

/** One above every epoch seen: of the Lease, of stored policies, of status and of acknowledgements (reliability.md O4). */
export function claimEpoch(seen: readonly number[]): number {
  return Math.max(0, ...seen) + 1;
}

/**
 * A policy with its pair. Equal content under the claimed epoch keeps its number, other content gets the next revision, and
 * a new epoch begins at revision 1.
 */
export function numberPolicy(
  content: PolicyContent,
  epoch: number,
  current: Policy | null,
): { readonly policy: Policy; readonly isNew: boolean } {
  if (current?.epoch !== epoch) return { policy: { ...content, epoch, revision: 1 }, isNew: true };
  const same: Policy = { ...content, epoch, revision: current.revision };
  if (serializePolicy(same) === serializePolicy(current)) return { policy: current, isNew: false };
  return { policy: { ...same, revision: current.revision + 1 }, isNew: true };
}
