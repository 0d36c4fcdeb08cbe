import type { Policy } from '../../crds/wire/policy.ts';
import type { PolicyScope } from './report/run-tally.ts';

/**
 * Whether rows under this policy are in the report's serving scope: one certified revision has all traffic (the last ramp
 * step counts) and exits are on (operations.md 7).
 */
export function scopeOf(policy: Policy): PolicyScope {
  const { stable, candidate } = policy;
  if (!policy.exitsEnabled) return { isServing: false };
  if (candidate !== null && candidate.share > 0) {
    return { isServing: candidate.share === 1 && isCertified(candidate) };
  }
  return { isServing: stable !== null && isCertified(stable) };
}

function isCertified(track: NonNullable<Policy['stable']>): boolean {
  return track.lambdaIndex !== null && track.certificate !== null && track.activeExits.length > 0;
}
