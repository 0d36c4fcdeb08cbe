import {
  countAt,
  isJsonObject,
  listAt,
  objectAt,
  textAt,
  type JsonObject,
} from '../json-object.ts';
import type { LiveObject } from '../live-object.ts';
import type { ContainerEnd, PodFacts, ServerFacts } from './facts.ts';

/** Waiting reasons of a container that is on its way. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

/** A pod as far as a status needs it. Fields that are missing or of another type count as absent. */
export function readPod(pod: LiveObject, server: ServerFacts | null): PodFacts {
  const containers = [
    ...listAt(pod, 'status', 'initContainerStatuses'),
    ...listAt(pod, 'status', 'containerStatuses'),
  ];
  const conditions = listAt(pod, 'status', 'conditions');
  const ready = conditions.find(({ type }) => type === 'Ready') ?? {};
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled') ?? {};
  const isUnschedulable = scheduled.status === 'False' && scheduled.reason === 'Unschedulable';
  const isBare = conditions.some(
    ({ type, status }) => type === 'PodReadyToStartContainers' && status === 'False',
  );
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid ?? '',
    isReady: ready.status === 'True',
    isTerminating: pod.metadata.deletionTimestamp !== undefined,
    waiting:
      containers.map(readWaiting).find((waiting) => waiting !== null) ??
      (isBare && scheduled.status === 'True' ? describeBare(pod.metadata.name) : null),
    restarts: Math.max(0, ...containers.map((container) => countAt(container, 'restartCount'))),
    lastEnd: latest(containers.flatMap(readEnds)),
    unschedulable: isUnschedulable ? (textAt(scheduled, 'message') ?? '') : null,
    server,
  };
}

function readWaiting(container: JsonObject): PodFacts['waiting'] {
  const waiting = objectAt(container, 'state', 'waiting');
  const reason = textAt(waiting, 'reason');
  if (reason === null || ON_THE_WAY.has(reason)) return null;
  return { reason, message: textAt(waiting, 'message') ?? '' };
}

/**
 * A pod that has a node and no sandbox. Usually that lasts a moment; with a volume that cannot be mounted it lasts for ever, and
 * only events name the volume, which the operator may not read.
 */
function describeBare(name: string): PodFacts['waiting'] {
  const message = `its volumes or its network are not ready; if it stays so, events of \`kubectl describe pod ${name}\` name the Secret, ConfigMap or claim that is missing`;
  return { reason: 'ContainerCreating', message };
}

function readEnds(container: JsonObject): ContainerEnd[] {
  return ['state', 'lastState'].flatMap((field) => {
    const { terminated } = objectAt(container, field);
    if (!isJsonObject(terminated) || countAt(terminated, 'exitCode') === 0) return [];
    return [
      {
        container: textAt(container, 'name') ?? '',
        reason: textAt(terminated, 'reason') ?? 'Error',
        exitCode: countAt(terminated, 'exitCode'),
        message: (textAt(terminated, 'message') ?? '').trim(),
        timeMs: timeAt(terminated, 'finishedAt'),
      },
    ];
  });
}

function latest(ends: readonly ContainerEnd[]): ContainerEnd | null {
  return [...ends].sort((a, b) => b.timeMs - a.timeMs)[0] ?? null;
}

/** Milliseconds of a time field; 0 where there is none. */
function timeAt(object: JsonObject, field: string): number {
  const timeMs = Date.parse(String(object[field]));
  return Number.isNaN(timeMs) ? 0 : timeMs;
}
