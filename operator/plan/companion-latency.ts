import type { ServiceSettings } from '../../crds/v1alpha1/settings.ts';

/**
 * Settings whose default check of p99 latency grants companions the time that they add to rows which run on: who names one accepts
 * it (exits.md 4.9). Checks that a spec names are taken as they are.
 */
export function withCompanionLatency(
  settings: ServiceSettings,
  exits: readonly { readonly modelDigest?: string; readonly msShare: number }[],
  { checksNamed }: { readonly checksNamed: boolean },
): ServiceSettings {
  const added = exits.reduce(
    (sum, { modelDigest, msShare }) => sum + (modelDigest === undefined ? 0 : msShare),
    0,
  );
  if (checksNamed || added === 0) return settings;
  const checks = settings.checks.map(({ type, maxRegression }) => ({
    type,
    maxRegression: maxRegression + (type === 'LatencyP99' ? added : 0),
  }));
  return { ...settings, checks };
}
