import type { Clock } from './clock.ts';
import type { PodView } from './fleet/fleet-pod.ts';

export interface ReadAges {
  /**
   * Wall time at which the pod of a service that has been silent for longest was last understood; one that never was counts
   * from when it was first asked about here. Null without pods.
   */
  oldestReadMs(key: string, views: readonly PodView[]): number | null;
}

/** Pods are heard in monotonic time; people read wall time. */
export function createReadAges(clock: Clock): ReadAges {
  /** Monotonic time since when a pod has said nothing, by service and pod. */
  const waiting = new Map<string, ReadonlyMap<string, number>>();
  return {
    oldestReadMs: (key, views) => {
      const monotonicMs = clock.monotonicMs();
      const before = waiting.get(key);
      const since = views.map(({ pod, heardMs }) => ({
        uid: pod.uid,
        isHeard: heardMs !== null,
        sinceMs: heardMs ?? before?.get(pod.uid) ?? monotonicMs,
      }));
      const silent = since.filter(({ isHeard }) => !isHeard);
      if (silent.length === 0) waiting.delete(key);
      else waiting.set(key, new Map(silent.map(({ uid, sinceMs }) => [uid, sinceMs])));
      if (since.length === 0) return null;
      const oldestMs = Math.min(...since.map(({ sinceMs }) => sinceMs));
      return clock.nowMs() - (monotonicMs - oldestMs);
    },
  };
}
