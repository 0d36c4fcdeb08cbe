import { expect, test } from 'vitest';
import { adminGenerationOf } from '../../../../operator/controllers/cached-model-service/admin-generation-of.ts';
import {
  mayMissVolume,
  toFleetPods,
} from '../../../../operator/controllers/cached-model-service/fleet-pods.ts';
import { trimPod } from '../../../../operator/controllers/trim-pod.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { readPod } from '../../../../operator/plan/status/read-pod.ts';

const ended = {
  ...{ exitCode: 137, reason: 'OOMKilled', finishedAt: '2026-11-27T09:00:00Z' },
  ...{ startedAt: '2026-11-27T08:00:00Z', containerID: 'containerd://1' },
};

function aPod(status: object = {}, metadata: object = {}): KubeObject {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ name: 'vision-x1', namespace: 'ml', uid: 'u1', resourceVersion: '7' },
      ...{
        labels: { 'layercache.io/service': 'vision' },
        creationTimestamp: '2026-11-27T08:00:00Z',
      },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'r', controller: true },
      ],
      annotations: { 'example.com/large': 'x'.repeat(5_000) },
      managedFields: [{ manager: 'kubelet', fieldsV1: { 'f:status': {} } }],
      ...metadata,
    },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'server', env: [{ name: 'A', value: 'x' }] }],
      volumes: [
        { name: 'policy', configMap: { name: 'vision-policy' } },
        { name: 'admin', secret: { secretName: 'vision-admin-g3', defaultMode: 288 } },
      ],
    },
    status: {
      ...{
        phase: 'Running',
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        hostIP: '192.168.0.1',
      },
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-11-27T08:00:00Z' },
        { type: 'Ready', status: 'False', lastTransitionTime: '2026-11-27T08:00:10Z' },
      ],
      containerStatuses: [
        {
          ...{ name: 'server', restartCount: 2, imageID: 'registry.example.com/server@sha256:1' },
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
          lastState: { terminated: ended },
        },
      ],
      ...status,
    },
  };
}

const unscheduled = {
  ...{ phase: 'Pending', podIP: undefined, containerStatuses: undefined },
  conditions: [
    { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no node' },
  ],
};
const creating = {
  phase: 'Pending',
  containerStatuses: [{ name: 'server', state: { waiting: { reason: 'ContainerCreating' } } }],
};
const bare = {
  conditions: [
    { type: 'PodReadyToStartContainers', status: 'False' },
    { type: 'PodScheduled', status: 'True' },
  ],
  containerStatuses: [],
};
const initial = {
  initContainerStatuses: [{ name: 'init', state: { terminated: { ...ended, exitCode: 1 } } }],
  containerStatuses: [
    { name: 'server', state: { running: { startedAt: '2026-11-27T08:00:00Z' } } },
  ],
};

test.each<[string, KubeObject]>([
  ['one that ends again and again', aPod()],
  ['one without a node', aPod(unscheduled)],
  ['one that is being created', aPod(creating)],
  ['one without a sandbox', aPod(bare)],
  ['one whose first container failed', aPod(initial)],
  ['one that leaves', aPod({}, { deletionTimestamp: '2026-11-27T09:00:00Z' })],
  ['one that says nothing', { ...aPod(), spec: undefined, status: undefined }],
])('what is read of a pod is the same of what is kept: %s', (_, pod) => {
  const kept = trimPod(pod);
  expect(readPod(kept, null)).toEqual(readPod(pod, null));
  expect(toFleetPods([kept], 'vision')).toEqual(toFleetPods([pod], 'vision'));
  expect(mayMissVolume(kept)).toBe(mayMissVolume(pod));
  expect(adminGenerationOf(kept, 'vision')).toBe(adminGenerationOf(pod, 'vision'));
});

test('of a pod nothing is kept that moves without a meaning', () => {
  const text = JSON.stringify(trimPod(aPod()));
  expect(text).not.toMatch(
    /lastTransitionTime|imageID|hostIP|managedFields|example.com|configMap|"env"/,
  );
  expect(text.length).toBeLessThan(1_000);
});
