import type { ServiceStatus } from '../../../crds/v1alpha1/service-status.ts';
import type { PodFacts, StatusFacts } from './facts.ts';
import { toTime } from './time.ts';

const MAX_MESSAGE = 1024;

/** The newest failure of any pod: how a container ended, or what kept a backbone from being loaded. Kept after recovery. */
export function planLastFailure({
  pods,
  previous,
  nowMs,
}: StatusFacts): ServiceStatus['lastFailure'] {
  const before = previous.lastFailure;
  const [end] = pods
    .flatMap((pod) => (pod.lastEnd === null ? [] : [{ pod, ...pod.lastEnd }]))
    .sort((a, b) => b.timeMs - a.timeMs);
  if (end !== undefined && end.timeMs > Date.parse(before?.time ?? '1970-01-01T00:00:00Z')) {
    return {
      component: end.container,
      podName: end.pod.name,
      reason: end.reason,
      message: `Exit code ${end.exitCode}. ${end.message}`.trim().slice(0, MAX_MESSAGE),
      time: toTime(end.timeMs),
    };
  }
  return loadFailure(pods, before, nowMs) ?? before;
}

/** Said once per pod and reason: the server goes on trying, and its time would move with each attempt. */
function loadFailure(
  pods: readonly PodFacts[],
  before: ServiceStatus['lastFailure'],
  nowMs: number,
): ServiceStatus['lastFailure'] | null {
  for (const { name, server } of pods) {
    if (server?.state?.loaded !== false) continue;
    const { failure } = server.state.state.loading;
    if (failure === null) continue;
    if (before?.podName === name && before.reason === failure.code) return before;
    const message = failure.message.slice(0, MAX_MESSAGE);
    const said = { component: 'server', podName: name, reason: failure.code, message };
    return { ...said, time: toTime(nowMs) };
  }
  return null;
}
