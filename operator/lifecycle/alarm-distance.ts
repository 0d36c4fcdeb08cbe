import { meanS } from '../../server/core/detector.ts';
import { SERVING_ALARM } from './alarm.ts';
import { dispersionNow } from './count-stable.ts';
import type { Ledger } from './ledger.ts';

/**
 * How far the detector of the heads in force is on its way to the alarm: 0 with nothing seen, 1 at the alarm level, on a
 * logarithmic scale, since evidence multiplies. Null while nothing may leave: nothing is watched.
 */
export function alarmDistance(ledger: Ledger): number | null {
  const { stable } = ledger;
  const detector = stable?.detector ?? null;
  if (stable === null || detector === null || stable.off !== null) return null;
  const level = SERVING_ALARM / dispersionNow(ledger, stable);
  return Math.log1p(meanS(detector)) / Math.log1p(level);
}
