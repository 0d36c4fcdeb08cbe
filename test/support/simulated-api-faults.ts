import type { ApiCall } from '../../operator/kube/intercept-api.ts';
import { isWrite } from '../../operator/kube/intercept-api.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What may befall one call. A watch knows all but lost answers and stale reads, and these as it begins. */
export type Fault =
  | { readonly kind: 'Delay'; readonly ms: number }
  | {
      readonly kind: 'Status';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    }
  /** Done, and then answered by this status; 0: not answered. */
  | { readonly kind: 'LostAnswer'; readonly status: number }
  /** Not done and not answered: it ends at its deadline. A watch stays open and tells nothing. */
  | { readonly kind: 'Silence' }
  /** A read of what was true so many versions ago. */
  | { readonly kind: 'Stale'; readonly versions: number }
  /** The process dies: before the call is made, or before its answer is seen. */
  | { readonly kind: 'Crash'; readonly when: 'Before' | 'After' };

/** What may befall one event of a watch, besides its delay. */
export type EventFault = 'Drop' | 'Duplicate' | 'Reset' | 'Expire' | null;

export interface Faults {
  /** Asked before every call; null: none. */
  readonly onCall?: (call: ApiCall) => Fault | null;
  readonly onEvent?: () => EventFault;
  /** How long events take to arrive; order is kept. */
  readonly eventDelayMs?: () => number;
}

/** Probabilities per call and per event. */
export interface FaultRates {
  readonly delay: number;
  readonly refuse: number;
  readonly lose: number;
  readonly silence: number;
  readonly stale: number;
  readonly crash: number;
  readonly event: number;
}

export const CALM: FaultRates = {
  delay: 0,
  refuse: 0,
  lose: 0,
  silence: 0,
  stale: 0,
  crash: 0,
  event: 0,
};

const REFUSALS = [
  [409, 'Conflict'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'ServiceUnavailable'],
  [504, 'Timeout'],
] as const;

/** Faults drawn from a seed: equal seeds and equal calls give equal faults. */
export function seededFaults(random: SeededRandom, rates: FaultRates): Faults {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.uniform() * items.length)]!;
  return {
    onCall: (call) => {
      if (random.chance(rates.crash))
        return { kind: 'Crash', when: random.chance(0.5) ? 'Before' : 'After' };
      if (random.chance(rates.silence)) return { kind: 'Silence' };
      if (isWrite(call) && random.chance(rates.lose))
        return { kind: 'LostAnswer', status: pick([0, 500, 504]) };
      if (!isWrite(call) && random.chance(rates.stale))
        return { kind: 'Stale', versions: 1 + Math.floor(random.uniform() * 20) };
      if (random.chance(rates.refuse)) return refusal(pick(REFUSALS));
      return random.chance(rates.delay) ? { kind: 'Delay', ms: random.exponential(500) } : null;
    },
    onEvent: () =>
      random.chance(rates.event) ? pick(['Drop', 'Duplicate', 'Reset', 'Expire'] as const) : null,
    eventDelayMs: () => (random.chance(rates.delay) ? random.exponential(500) : 0),
  };
}

/** Those faults until it is over, then none. */
export function faultsUntil(isOver: () => boolean, faults: Faults): Faults {
  return {
    onCall: (call) => (isOver() ? null : (faults.onCall?.(call) ?? null)),
    onEvent: () => (isOver() ? null : (faults.onEvent?.() ?? null)),
    eventDelayMs: () => (isOver() ? 0 : (faults.eventDelayMs?.() ?? 0)),
  };
}

function refusal([status, reason]: (typeof REFUSALS)[number]): Fault {
  return { kind: 'Status', status, reason, ...(status === 429 ? { retryAfterSeconds: 2 } : {}) };
}
