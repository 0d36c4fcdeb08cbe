import type { KubeObject } from '../../../kube/api.ts';

/** A training Job as its controller reports it. */
export interface JobFacts {
  readonly isComplete: boolean;
  /** Null: it has not failed. */
  readonly failure: { readonly reason: string; readonly message: string } | null;
  readonly startTime: string | null;
}

interface JobStatus {
  readonly startTime?: string;
  readonly conditions?: readonly {
    readonly type?: string;
    readonly status?: string;
    readonly reason?: string;
    readonly message?: string;
  }[];
}

export function readJob({ status }: KubeObject): JobFacts {
  const { startTime = null, conditions = [] } = (status ?? {}) as JobStatus;
  const holds = (type: string) =>
    conditions.find((condition) => condition.type === type && condition.status === 'True');
  // Newer API servers tell a failure before the last pod is gone.
  const failed = holds('Failed') ?? holds('FailureTarget');
  const failure =
    failed === undefined
      ? null
      : { reason: failed.reason ?? 'Failed', message: failed.message ?? '' };
  return { isComplete: holds('Complete') !== undefined, failure, startTime };
}

export function isEnded({ isComplete, failure }: JobFacts): boolean {
  return isComplete || failure !== null;
}
