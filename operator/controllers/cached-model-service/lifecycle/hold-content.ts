import type { ServiceSettings } from '../../../../crds/v1alpha1/settings.ts';
import type { Policy } from '../../../../crds/wire/policy.ts';
import type { PolicyContent } from '../../../lifecycle/types.ts';

/**
 * The policy in force while nothing can be decided about heads: hot settings change, and so does what takes exits away. A
 * tighter budget or a higher confidence is not theirs until the evidence was asked, so exits go off.
 */
export function holdContent(before: Policy, settings: ServiceSettings): PolicyContent {
  const { model, maxAgeSeconds, limits } = settings;
  const isSafe =
    settings.exitMode === 'Active' &&
    settings.budget >= before.budget &&
    settings.confidence <= before.confidence &&
    (before.agreement === undefined || before.agreement === settings.agreement);
  return {
    ...{ model, maxAgeSeconds, limits },
    schemaVersion: before.schemaVersion,
    backboneDigest: before.backboneDigest,
    exitsEnabled: before.exitsEnabled && isSafe,
    budget: before.budget,
    confidence: before.confidence,
    ...(before.agreement === undefined ? {} : { agreement: before.agreement }),
    exits: before.exits,
    stable: before.stable,
    candidate: before.candidate,
    auditRate: before.auditRate,
  };
}
