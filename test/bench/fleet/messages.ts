/** What the benchmark tells a process of simulated pods. */
export type ToPods =
  | {
      readonly kind: 'Traffic';
      /** 0: nobody asks anything. */
      readonly rowsPerSecond: number;
      /** Of each pod. */
      readonly windowSeconds: number;
      /** Services, as `namespace/name`, whose rows are wrong more often. */
      readonly drifting: readonly string[];
    }
  | {
      readonly kind: 'Pushes';
      /** No pod answers a push of a policy; each reads its mount instead, once in the time of a kubelet. */
      readonly areDropped: boolean;
    }
  | { readonly kind: 'Report' };

/** A policy came into force on a pod. */
export interface AppliedPolicy {
  /** `namespace/name` of the service. */
  readonly service: string;
  readonly podUid: string;
  readonly epoch: number;
  readonly revision: number;
  readonly maxQueueLength: number;
  readonly stable: string | null;
  readonly exitsEnabled: boolean;
  /** Wall clock, which the processes of one machine share. */
  readonly atMs: number;
}

/** Since the last report. */
export interface PodsReport {
  readonly kind: 'Report';
  /** Pods that listen now. */
  readonly pods: number;
  readonly connections: number;
  readonly handshakes: number;
  /** By method and route. */
  readonly calls: Readonly<Record<string, number>>;
  /** From the end of each window to the answer that held it first, ascending. */
  readonly evidenceLagMs: readonly number[];
}

export type FromPods =
  | { readonly kind: 'Ready' }
  | { readonly kind: 'Applied'; readonly applied: readonly AppliedPolicy[] }
  | PodsReport;
