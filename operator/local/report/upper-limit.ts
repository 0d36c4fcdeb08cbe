import type { ServiceSettings } from '../../../crds/v1alpha1/settings.ts';
import { AGREEMENTS } from '../../../server/core/agreement.ts';

/** Upper limit of what the budget bounds, at the confidence of the service. @param disagreements rows, or the sum of their losses */
export function upperLimit(
  { audits, disagreements }: { readonly audits: number; readonly disagreements: number },
  { agreement, confidence }: Pick<ServiceSettings, 'agreement' | 'confidence'>,
): number {
  const { rowUnits, upper } = AGREEMENTS[agreement];
  return upper(Math.round(disagreements * rowUnits), audits, 1 - confidence);
}
