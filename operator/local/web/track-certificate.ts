import { LAMBDAS } from '../../../crds/wire/lambda-grid.ts';
import type { PolicyTrack } from '../../../crds/wire/policy.ts';
import { agreementOf } from '../../../server/core/agreement.ts';
import type { Picture } from '../page/state/page-state.ts';

/** The certificate of heads as the page shows it; null: they have none. */
export function trackCertificate(
  track: Pick<PolicyTrack, 'headRevision' | 'lambdaIndex' | 'certificate'> | null,
): Picture['certificate'] {
  if (!track?.certificate || track.lambdaIndex === null) return null;
  const { audits, disagreements: units, look } = track.certificate;
  const disagreements = units / agreementOf(track.certificate).rowUnits;
  const lambda = LAMBDAS[track.lambdaIndex] ?? 0;
  return { headRevision: track.headRevision, lambda, n: audits, disagreements, look };
}
