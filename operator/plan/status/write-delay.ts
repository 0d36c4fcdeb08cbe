import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import { canonicalJson } from '../../../crds/wire/json.ts';
import { CONTESTED } from './foreign.ts';

const CHANGE_EVERY_MS = 1_000;
const NUMBERS_EVERY_MS = 60_000;
/** One operator is allowed ten writes a second for everything; mere numbers of all its services get half of them. */
const NUMBERS_APART_MS = 200;

export interface StatusWrite {
  /** As the API server has it. */
  readonly live: ServiceStatus;
  readonly next: ServiceStatus;
  /** When this object's status was written last; null: not by this process. */
  readonly lastWriteMs: number | null;
  readonly nowMs: number;
  /** Of which this operator writes statuses. */
  readonly services: number;
}

/**
 * How long a status waits until it is written; null: it says what is there already. What people act on goes at once, one
 * write a second at most; mere numbers once a minute, and of more than 300 services as much more seldom.
 */
export function statusWriteDelayMs(write: StatusWrite): number | null {
  const { next, lastWriteMs, nowMs, services } = write;
  const live = withoutForeign(write.live);
  if (canonicalJson(live) === canonicalJson(next)) return null;
  const isUrgent = canonicalJson(withoutNumbers(live)) !== canonicalJson(withoutNumbers(next));
  const everyMs = isUrgent
    ? CHANGE_EVERY_MS
    : Math.max(NUMBERS_EVERY_MS, services * NUMBERS_APART_MS);
  return lastWriteMs === null ? 0 : Math.max(0, lastWriteMs + everyMs - nowMs);
}

/** What contenders say stays, whatever is written. */
function withoutForeign(status: ServiceStatus): ServiceStatus {
  const { conditions } = status;
  if (conditions === undefined) return status;
  return { ...status, conditions: conditions.filter(({ type }) => type !== CONTESTED) };
}

/**
 * A status without what moves by itself. Replica counts stay: the scale subresource and people who wait read them. Messages
 * of conditions go, since they count; their status and reason stay.
 */
function withoutNumbers(status: ServiceStatus): unknown {
  const { exits, conditions, rollout } = status;
  return {
    ...status,
    accuracy: null,
    exits: exits?.map((exit) => ({ ...exit, exitedShare: null })),
    conditions: conditions?.map((condition) => ({ ...condition, message: null })),
    rollout: { stage: rollout?.stage, step: rollout?.step, share: rollout?.share },
  };
}
