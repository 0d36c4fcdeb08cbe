import type { AppliedPolicy } from './messages.ts';
import type { FleetProcesses } from './simulated-fleet-processes.ts';

export interface PolicyWait {
  /** Wall clock at which the last pod of each service had it, by `namespace/name`; rejects when it takes too long. */
  readonly done: Promise<ReadonlyMap<string, number>>;
  /** Services of which all pods have it so far. */
  readonly count: () => number;
}

export interface PolicyWanted {
  /** `namespace/name`. */
  readonly services: readonly string[];
  /** Of each. */
  readonly pods: number;
  readonly holds: (applied: AppliedPolicy) => boolean;
  readonly deadlineMs: number;
}

/** Waits, from now on, until such a policy has come into force on so many pods of each of these services. */
export function expectPolicies(
  fleet: Pick<FleetProcesses, 'onApplied'>,
  { services, pods, holds, deadlineMs }: PolicyWanted,
): PolicyWait {
  const missing = new Map(services.map((service) => [service, new Set<string>()]));
  const doneMs = new Map<string, number>();
  const done = new Promise<ReadonlyMap<string, number>>((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      const first = [...missing.keys()].slice(0, 5).join(', ');
      reject(
        new Error(
          `${missing.size} of ${services.length} services lack the policy, such as ${first}`,
        ),
      );
    }, deadlineMs);
    const stop = fleet.onApplied((applied) => {
      const holders = missing.get(applied.service);
      if (holders === undefined || !holds(applied)) return;
      holders.add(applied.podUid);
      if (holders.size < pods) return;
      missing.delete(applied.service);
      doneMs.set(applied.service, applied.atMs);
      if (missing.size > 0) return;
      clearTimeout(timer);
      stop();
      resolve(doneMs);
    });
  });
  return { done, count: () => doneMs.size };
}
