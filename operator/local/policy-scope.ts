import type { Policy } from '../../crds/wire/policy.ts';
import type { PolicyScope } from './report/run-tally.ts';

/**
 * Whether rows under this policy are in the report's serving scope: one certified revision has all traffic (the last ramp
 * step counts) and exits are on (operations.md 7).
 */
export function scopeOf(policy: Policy): PolicyScope {
  const { stable, candidate } = policy;
  const areExitsOn = policy.exitsEnabled;
  if (!areExitsOn) return { isServing: false, areExitsOn };
  if (candidate !== null && candidate.share > 0) {
    return { isServing: candidate.share === 1 && isCertified(candidate), areExitsOn };
  }
  return { isServing: stable !== null && isCertified(stable), areExitsOn };
}

function isCertified(track: NonNullable<Policy['stable']>): boolean {
  return track.lambdaIndex !== null && track.certificate !== null && track.activeExits.length > 0;
}
