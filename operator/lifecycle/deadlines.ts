import { trialEndMs } from './first-pod.ts';
import type { Ledger } from './ledger.ts';
import { holdEndMs } from './ramping.ts';
import type { Tick } from './tick.ts';
import { cooldownEndMs } from './training-wishes.ts';

/** Times at which something may happen without new evidence. Some may be past. */
export function ledgerDeadlines(ledger: Ledger, { input }: Pick<Tick, 'input'>): readonly number[] {
  const { candidate, stage } = ledger;
  const ramp = candidate?.ramp ?? null;
  const trialMs = candidate?.first ? trialEndMs(candidate.first) : null;
  const waitsForCooldown = stage === 'Collecting' || stage === 'Recertifying';
  return [
    ...(ramp === null ? [] : [holdEndMs(ramp, input.settings)]),
    ...(trialMs === null ? [] : [trialMs]),
    ...(waitsForCooldown ? [cooldownEndMs(ledger, input)] : []),
  ];
}
