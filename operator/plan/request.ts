import type { ServiceStatus } from '../../crds/v1alpha1/service-status.ts';
import { ANNOTATIONS } from './names.ts';
import type { ServiceToPlan } from './service.ts';
import { toTime } from './status/time.ts';

export interface AdminGenerationPlan {
  readonly adminGeneration: number;
  /** What `status.request` says afterwards. */
  readonly request: ServiceStatus['request'];
}

const ROTATE = /^rotate(:|$)/;

/**
 * The generation of the admin keys, and what became of a `rotate` request: once per value, the next generation, whose
 * Secret has another name, so pods roll. Other requests are not answered here.
 */
export function planAdminGeneration(
  service: Pick<ServiceToPlan, 'annotations'>,
  previous: ServiceStatus,
  nowMs: number,
): AdminGenerationPlan {
  const adminGeneration = Math.max(1, previous.adminGeneration ?? 1);
  const value = service.annotations[ANNOTATIONS.request];
  if (value === undefined || !ROTATE.test(value) || value === previous.request?.value) {
    return { adminGeneration, request: previous.request };
  }
  const next = adminGeneration + 1;
  return {
    adminGeneration: next,
    request: {
      value,
      result: 'Done',
      message: `Admin keys of generation ${next} are made; pods roll to them.`,
      time: toTime(nowMs),
    },
  };
}
