import { describe, expect, test } from 'vitest';

import {
  readAutoscaler,
  readDeployment,
} from '../../../../../operator/plan/status/read-deployment.ts';
import { readPod } from '../../../../../operator/plan/status/read-pod.ts';
import { planDeployment } from '../../../../../operator/plan/deployment.ts';
import type { LiveObject } from '../../../../../operator/plan/live-object.ts';
import { aServiceToPlan, DEFAULTS, stored } from '../builders.ts';

function aPod(status: unknown, metadata: Partial<LiveObject['metadata']> = {}): LiveObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'vision-a', uid: 'u', ...metadata },
    status,
  };
}

describe('a pod', () => {
  test('without a status is neither ready nor in trouble', () => {
    expect(readPod(aPod(undefined), null)).toEqual({
      name: 'vision-a',
      uid: 'u',
      isReady: false,
      isTerminating: false,
      waiting: null,
      restarts: 0,
      lastEnd: null,
      unschedulable: null,
      server: null,
    });
    expect(readPod({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }, null).uid).toBe('');
  });

  test('is ready by its condition', () => {
    const conditions = [{ type: 'Ready', status: 'True' }];
    expect(readPod(aPod({ conditions }), null).isReady).toBe(true);
  });

  test('is unschedulable by its condition and no other reason', () => {
    const scheduled = (reason: string, message?: string) =>
      readPod(
        aPod({ conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] }),
        null,
      );
    expect(scheduled('Unschedulable', '0/1 nodes').unschedulable).toBe('0/1 nodes');
    expect(scheduled('Unschedulable').unschedulable).toBe('');
    expect(scheduled('SchedulingGated').unschedulable).toBeNull();
  });

  test('that is being deleted is leaving', () => {
    const metadata = { deletionTimestamp: '2026-11-25T10:00:00Z' };
    expect(readPod(aPod({}, metadata), null).isTerminating).toBe(true);
  });

  test('waits for what the kubelet says, init containers first, but not for being created', () => {
    const waitingOf = (...waiting: object[]) =>
      readPod(
        aPod({
          initContainerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
          containerStatuses: waiting.map((state) => ({ state: { waiting: state } })),
        }),
        null,
      ).waiting;
    expect(waitingOf({ reason: 'ContainerCreating' }, {})).toBeNull();
    expect(waitingOf({ reason: 'ErrImagePull', message: 'no' })).toEqual({
      reason: 'ErrImagePull',
      message: 'no',
    });
    expect(waitingOf({ reason: 'CrashLoopBackOff' })).toEqual({
      reason: 'CrashLoopBackOff',
      message: '',
    });
  });

  test('with a node and no sandbox waits for volumes or network, which its events name', () => {
    const waitingOf = (scheduled: string, containers: readonly object[] = []) =>
      readPod(
        aPod({
          conditions: [
            { type: 'PodReadyToStartContainers', status: 'False' },
            { type: 'PodScheduled', status: scheduled },
          ],
          containerStatuses: containers,
        }),
        null,
      ).waiting;
    expect(waitingOf('True', [{ state: { waiting: { reason: 'ContainerCreating' } } }])).toEqual({
      reason: 'ContainerCreating',
      message:
        'its volumes or its network are not ready; if it stays so, events of `kubectl describe pod vision-a` name the Secret, ConfigMap or claim that is missing',
    });
    expect(waitingOf('False')).toBeNull();
    expect(waitingOf('True', [{ state: { waiting: { reason: 'ErrImagePull' } } }])?.reason).toBe(
      'ErrImagePull',
    );
  });

  test('has the latest bad end of any container and the most restarts', () => {
    const ended = (exitCode: number, finishedAt: string, fields: object = {}) => ({
      terminated: { exitCode, finishedAt, ...fields },
    });
    const pod = readPod(
      aPod({
        containerStatuses: [
          {
            name: 'server',
            restartCount: 2,
            lastState: ended(137, '2026-11-25T10:00:02Z', {
              reason: 'OOMKilled',
              message: ' killed\n',
            }),
          },
          {
            restartCount: 1,
            state: ended(0, '2026-11-25T10:00:09Z'),
            lastState: ended(3, '2026-11-25T10:00:01Z'),
          },
        ],
      }),
      null,
    );
    expect(pod.restarts).toBe(2);
    expect(pod.lastEnd).toEqual({
      container: 'server',
      reason: 'OOMKilled',
      exitCode: 137,
      message: 'killed',
      timeMs: Date.parse('2026-11-25T10:00:02Z'),
    });
    const bare = readPod(aPod({ containerStatuses: [{ state: ended(3, 'then') }] }), null);
    expect(bare.lastEnd).toEqual({
      container: '',
      reason: 'Error',
      exitCode: 3,
      message: '',
      timeMs: 0,
    });
  });
});

describe('a Deployment', () => {
  const planned = planDeployment({
    service: aServiceToPlan({
      pod: { resources: { limits: { 'nvidia.com/gpu': 1 } } },
      replicas: 3,
    }),
    defaults: DEFAULTS,
    live: null,
    adminGeneration: 1,
  });
  const live = (status: unknown, generation = 2): LiveObject =>
    stored(planned.ok ? planned.deployment : {}, { generation }, { status });

  test('is read with its counts, its devices and its roll', () => {
    const status = {
      observedGeneration: 2,
      replicas: 3,
      readyReplicas: 2,
      updatedReplicas: 1,
      availableReplicas: 2,
    };
    expect(readDeployment(live(status))).toEqual({
      isObserved: true,
      wantedReplicas: 3,
      replicas: 3,
      readyReplicas: 2,
      updatedReplicas: 1,
      availableReplicas: 2,
      maxUnavailable: 1,
      maxSurge: 0,
      acceleratorNames: ['nvidia.com/gpu'],
      replicaFailure: null,
      deadlineExceeded: null,
    });
  });

  test('says why it does not get on', () => {
    const conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' },
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ProgressDeadlineExceeded',
        message: 'timed out',
      },
    ];
    expect(readDeployment(live({ observedGeneration: 1, conditions }))).toMatchObject({
      isObserved: false,
      replicaFailure: 'exceeded quota',
      deadlineExceeded: 'timed out',
    });
    const over = [
      { type: 'ReplicaFailure', status: 'False' },
      { type: 'Progressing', status: 'True' },
    ];
    expect(readDeployment(live({ conditions: over }))).toMatchObject({
      replicaFailure: null,
      deadlineExceeded: null,
    });
  });

  test('with amounts in percent keeps them, and a bare one counts as nothing', () => {
    const bare = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } };
    expect(readDeployment(bare)).toMatchObject({
      isObserved: true,
      wantedReplicas: 0,
      maxSurge: 0,
    });
    const percent = { ...bare, spec: { strategy: { rollingUpdate: { maxSurge: '25%' } } } };
    expect(readDeployment(percent).maxSurge).toBe('25%');
  });
});

test('an autoscaler is read by one condition', () => {
  const object = (conditions: readonly object[]): LiveObject => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'vision' },
    status: { conditions },
  });
  expect(readAutoscaler(object([{ type: 'AbleToScale', status: 'True' }]))).toEqual({
    scalingActive: null,
  });
  expect(
    readAutoscaler(object([{ type: 'ScalingActive', status: 'True', reason: 'R', message: 'm' }])),
  ).toEqual({
    scalingActive: { status: 'True', reason: 'R', message: 'm' },
  });
});
