import { describe, expect, test } from 'vitest';

import type { ServiceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import { serviceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import type { StatusFacts } from '../../../../../operator/plan/status/facts.ts';
import { planStatus } from '../../../../../operator/plan/status/plan-status.ts';
import { statusWriteDelayMs } from '../../../../../operator/plan/status/write-delay.ts';
import { aState, DIGEST_A, DIGEST_B } from '../../../crds/documents.ts';
import { golden, toYaml } from '../builders.ts';
import {
  aCondition,
  aDeploymentWithout,
  aLoadingServer,
  anEnd,
  aPod,
  aPodWithNoClass,
  aPodWithout,
  aServer,
  aSpec,
  aStatus,
  NOW_MS,
  someFacts,
} from './builders.ts';

function statusOf(facts: Partial<StatusFacts> = {}): ServiceStatus {
  return planStatus(someFacts(facts)).status;
}

function eventsOf(facts: Partial<StatusFacts>): string[] {
  return planStatus(someFacts(facts)).events.map(({ type, reason }) => `${type} ${reason}`);
}

describe('a status', () => {
  test('of a healthy service', async () => {
    const status = statusOf();
    expect(serviceStatus.safeParse(status).error).toBeUndefined();
    await expect(toYaml(status)).toMatchFileSnapshot(`../${golden('status')}`);
  });

  test('says which pods may hold inputs, how many and how long, and nothing where none may', () => {
    const inputs = { rows: 7, maxRows: 400, retentionSeconds: 5_400 };
    const state = aState({ companions: [], inputs });
    const server = aServer({ state: { loaded: true, state } });
    const { inputs: held } = statusOf({ pods: [aPod({ server }), aPod({})] });
    expect(held).toEqual({ pods: 1, maxRows: 400, retention: '1h30m' });
    expect(statusOf()).not.toHaveProperty('inputs');
  });

  test('of a service that nothing is known about yet has a selector and an address', () => {
    const facts: Partial<StatusFacts> = {
      deployment: null,
      pods: [],
      policy: null,
      exits: null,
      templateVersion: null,
    };
    const status = statusOf(facts);
    expect(serviceStatus.safeParse(status).error).toBeUndefined();
    expect(status).toMatchObject({
      observedGeneration: 2,
      replicas: 0,
      selector: 'layercache.io/service=vision,app.kubernetes.io/component=server',
      url: 'http://vision.ml.svc',
    });
    expect(status).not.toHaveProperty('backbone');
    expect(status).not.toHaveProperty('templateVersion');
  });

  test('from equal facts is the same, and the second pass writes nothing', () => {
    const first = statusOf();
    const second = statusOf({ previous: first, nowMs: NOW_MS + 60_000 });
    expect(second).toEqual(first);
    expect(eventsOf({ previous: first })).toEqual([]);
  });

  test('keeps what was known when no pod can be asked', () => {
    const before = statusOf();
    const after = statusOf({
      previous: before,
      pods: [],
      exits: null,
      policy: null,
      templateVersion: null,
    });
    expect(after.backbone).toEqual({ ...before.backbone, loadedReplicas: 0 });
    expect(after.exits).toEqual(before.exits);
    expect(after.policy).toEqual(before.policy);
    expect(after.templateVersion).toBe(1);
  });

  test('keeps what others decide', () => {
    const heads = { stable: { revision: 'vision-3f2a9c1b77d0' } };
    expect(statusOf({ previous: { heads } }).heads).toEqual(heads);
  });

  test('tells the backbone of ready pods, and how many have it', () => {
    const other = aState({ backbone: { ...aState().backbone, digest: DIGEST_B } });
    const pods = [
      aPodWithout({ server: aServer({ state: { loaded: true, state: other } }) }),
      aPod(),
      aPod(),
      aPodWithout({ server: aLoadingServer(null) }),
      aPod({ server: null }),
    ];
    expect(statusOf({ pods }).backbone).toEqual({
      digest: DIGEST_A,
      format: 'ONNX',
      engine: 'ONNX',
      device: 'CPU',
      sizeBytes: 1_000_000,
      classCount: 10,
      loadedReplicas: 2,
    });
  });

  test('of a backbone without a class output names no classes, and no tensor is to blame for its exits', () => {
    const pods = [aPodWithNoClass('OutputAmbiguous', 'Name one.')];
    const missing = [{ exit: 'late', tensor: 'u', hint: '' }];
    const { backbone, exits } = statusOf({ pods, exits: { exits: [], missing, companions: [] } });
    expect(backbone).not.toHaveProperty('classCount');
    expect(exits).toEqual([{ name: 'late', tensor: 'u', reason: 'OutputAmbiguous' }]);
  });

  test('shows a companion by its digest, and that it is off while no pod has it', () => {
    const exits = {
      exits: [{ name: 'small', modelDigest: DIGEST_B, mode: 'Active', macsShare: 2, msShare: 0.2 }],
      ...{ missing: [], companions: [] },
    } as const;
    const small = { name: 'small', modelDigest: DIGEST_B, costShare: '100%', mode: 'Active' };
    expect(statusOf({ exits }).exits).toEqual([{ ...small, reason: 'CompanionLoadFailed' }]);
    const model = { name: 'small', digest: DIGEST_B, format: 'ONNX', sizeBytes: 9, macs: 9 };
    const state = aState({ companionModels: [{ ...model, msShare: 1 }] });
    const pods = [aPod({ server: aServer({ state: { loaded: true, state } }) })];
    expect(statusOf({ exits, pods }).exits).toEqual([{ ...small, reason: 'NoHeads' }]);
  });

  test('lists exits in force, then those that cannot be', () => {
    const exits = {
      exits: [{ name: 'early', tensor: 't', mode: 'Shadow', macsShare: 0.1819, msShare: 0.2 }],
      missing: [{ exit: 'late', tensor: 'u', hint: '' }],
      companions: ['small'],
    } as const;
    expect(statusOf({ exits }).exits).toEqual([
      { name: 'early', tensor: 't', costShare: '18.2%', mode: 'Shadow', reason: 'NoHeads' },
      { name: 'late', tensor: 'u', reason: 'TensorNotFound' },
      { name: 'small', reason: 'CompanionLoadFailed' },
    ]);
    expect(statusOf({ exits, spec: aSpec({ exitMode: 'Disabled' }) }).exits![0]).toMatchObject({
      mode: 'Disabled',
      reason: 'Disabled',
    });
    expect(statusOf({ exits, spec: null })).not.toHaveProperty('exits');
  });
});

describe('the policy in a status', () => {
  const waiting = [aPod(), aPod({ server: null })];
  test('is applied when the last ready pod acknowledged it, and that time stays', () => {
    expect(statusOf({ pods: waiting }).policy).toEqual({
      epoch: 4,
      revision: 17,
      hash: 'sha256:p',
      appliedReplicas: 1,
    });
    const applied = statusOf();
    expect(applied.policy!.appliedTime).toBe('2026-11-25T10:00:00Z');
    const later = statusOf({ previous: applied, pods: waiting, nowMs: NOW_MS + 60_000 });
    expect(later.policy!.appliedTime).toBe('2026-11-25T10:00:00Z');
  });

  test('of another number begins without a time', () => {
    const policy = { epoch: 4, revision: 18, hash: 'sha256:q' };
    expect(statusOf({ previous: statusOf(), policy, pods: waiting }).policy).not.toHaveProperty(
      'appliedTime',
    );
    expect(statusOf({ pods: [] }).policy).not.toHaveProperty('appliedTime');
  });
});

describe('the last failure', () => {
  const failureOf = (facts: Partial<StatusFacts>): ServiceStatus['lastFailure'] =>
    statusOf(facts).lastFailure;

  test('is the newest end of any container', () => {
    const pods = [
      aPod({ name: 'old', lastEnd: anEnd({ timeMs: NOW_MS - 90_000 }) }),
      aPod({ name: 'new', lastEnd: anEnd({ reason: 'OOMKilled', exitCode: 137, message: '' }) }),
    ];
    expect(failureOf({ pods })).toEqual({
      component: 'server',
      podName: 'new',
      reason: 'OOMKilled',
      message: 'Exit code 137.',
      time: '2026-11-25T09:59:00Z',
    });
  });

  test('is kept after recovery, and when older ones are seen', () => {
    const previous = statusOf({ pods: [aPod({ lastEnd: anEnd() })] });
    expect(failureOf({ previous })).toEqual(previous.lastFailure);
    const older = [aPod({ lastEnd: anEnd({ timeMs: NOW_MS - 90_000 }) })];
    expect(failureOf({ previous, pods: older })).toEqual(previous.lastFailure);
  });

  test('is what keeps a server from loading, told once though it goes on trying', () => {
    const pods = [
      aPodWithout(),
      aPodWithout({ server: aLoadingServer(null) }),
      aPodWithout({
        name: 'b',
        server: aLoadingServer({ code: 'BackboneFetchFailed', message: '404.' }),
      }),
    ];
    const previous = statusOf({ pods });
    expect(previous.lastFailure).toEqual({
      component: 'server',
      podName: 'b',
      reason: 'BackboneFetchFailed',
      message: '404.',
      time: '2026-11-25T10:00:00Z',
    });
    expect(failureOf({ previous, pods, nowMs: NOW_MS + 60_000 })).toEqual(previous.lastFailure);
    expect(statusOf()).not.toHaveProperty('lastFailure');
  });
});

describe('an event', () => {
  const known = statusOf();

  test('tells the first backbone and each policy', () => {
    expect(eventsOf({})).toContain('Normal BackboneLoaded');
    expect(eventsOf({})).toContain('Normal PolicyPublished');
    const policy = { epoch: 4, revision: 18, hash: 'sha256:q' };
    expect(eventsOf({ previous: known, policy })).toEqual(['Normal PolicyPublished']);
    const messages = planStatus(someFacts()).events.map(({ message }) => message);
    expect(messages).toContain(`Backbone ${DIGEST_A} (ONNX) is loaded by ONNX on CPU.`);
    expect(messages).toContain('Policy 4.17 is published.');
  });

  test('tells a reason that asks for an action when it appears, and once', () => {
    const facts = {
      previous: known,
      deployment: aDeploymentWithout(),
      pods: [aPodWithout({ restarts: 2 })],
    };
    expect(eventsOf(facts)).toEqual(['Warning CrashLooping']);
    const previous = statusOf(facts);
    expect(eventsOf({ ...facts, previous })).toEqual([]);
  });

  test('is not made of waiting, of what was configured, or of good news', () => {
    const facts = {
      previous: known,
      deployment: aDeploymentWithout(),
      pods: [],
      spec: aSpec({ exitMode: 'Shadow' }),
    };
    expect(eventsOf(facts)).toEqual([]);
  });

  test.each([
    ['https://a.example/m.onnx?X-Amz-Signature=of-somebody', 'https://a.example/m.onnx'],
    ['https://me:password@a.example/m.onnx#part', 'https://a.example/m.onnx'],
    ['s3://models/m@3', 's3://models/m@3'],
  ])('of %s names no secret that its address holds', (uri, shown) => {
    const facts = {
      previous: aStatus({ ...known, observedGeneration: 1 }),
      spec: aSpec({ backbone: { uri } }),
    };
    const [event] = planStatus(someFacts(facts)).events;
    expect(event?.message).toMatch(/has no digest/);
    expect(event?.message.split(' ')[0]).toBe(shown);
  });

  test('warns once per generation of a backbone without a digest', () => {
    const at = (uri: string, fields: object = {}): string[] =>
      eventsOf({
        previous: aStatus({ ...known, observedGeneration: 1 }),
        spec: aSpec({ backbone: { uri, ...fields } }),
      });
    expect(at('https://a.example/m')).toEqual(['Warning BackboneNotPinned']);
    expect(at('https://a.example/m', { digest: DIGEST_A })).toEqual([]);
    expect(at('file:/models/m.onnx')).toEqual([]);
    expect(
      eventsOf({
        previous: aStatus({ ...known, observedGeneration: 1 }),
        spec: null,
        exits: null,
        specProblem: 'x',
      }),
    ).toEqual(['Warning InvalidSpec', 'Warning InvalidSpec']);
  });

  test('warns when the only pod is replaced without surge', () => {
    const rolling = { previous: known, pods: [aPodWithout({ isTerminating: true })] };
    const one = (fields: Partial<NonNullable<StatusFacts['deployment']>>): string[] =>
      eventsOf({ ...rolling, deployment: aDeploymentWithout(1, fields) });
    expect(one({ maxSurge: 0, maxUnavailable: 1 })).toEqual(['Warning UpdateWillInterrupt']);
    expect(one({ maxSurge: '0%', maxUnavailable: 1 })).toEqual(['Warning UpdateWillInterrupt']);
    expect(one({ maxSurge: 1 })).toEqual([]);
    expect(eventsOf({ ...rolling, deployment: aDeploymentWithout(2, { maxSurge: 0 }) })).toEqual(
      [],
    );
    const previous = { ...known, conditions: [aCondition('Available', { reason: 'Updating' })] };
    expect(
      eventsOf({ ...rolling, previous, deployment: aDeploymentWithout(1, { maxSurge: 0 }) }),
    ).not.toContain('Warning UpdateWillInterrupt');
  });
});

describe('the next look', () => {
  const nextOf = (facts: Partial<StatusFacts>): number => planStatus(someFacts(facts)).nextCheckMs;
  const quiet = { pods: [] };
  test.each([
    ['is ten minutes away when all is quiet', quiet, 600_000],
    ['comes when a pod that answered now has been silent too long', {}, 90_000],
    [
      'comes soon for a ConfigMap',
      { ...quiet, missingConfigMaps: [{ field: 'f', name: 'n' }] },
      30_000,
    ],
    [
      'comes soon for a foreign object',
      { ...quiet, conflicts: [{ kind: 'Service', name: 'v', holder: '', isLeaving: false }] },
      30_000,
    ],
    [
      'comes after five minutes for a right',
      { ...quiet, refusals: [{ verb: 'get', resource: 'pods', message: '' }] },
      300_000,
    ],
  ])('%s', (_, facts, expected) => {
    expect(nextOf(facts)).toBe(expected);
  });
});

describe('a status is written', () => {
  const live = statusOf();
  const delay = (next: ServiceStatus, lastWriteMs: number | null, services = 1): number | null =>
    statusWriteDelayMs({ live, next, lastWriteMs, nowMs: NOW_MS, services });
  const numbers: ServiceStatus = {
    ...live,
    accuracy: { audits: 10 },
    exits: live.exits!.map((exit) => ({ ...exit, exitedShare: '12%' })),
    conditions: live.conditions!.map((condition) => ({ ...condition, message: 'counted on' })),
  };

  test('never when nothing changed', () => {
    expect(delay({ ...live }, null)).toBeNull();
  });
  test('at once when a reason changes, at most once a second', () => {
    const next = { ...live, conditions: [aCondition('Ready', { status: 'False' })] };
    expect(delay(next, null)).toBe(0);
    expect(delay(next, NOW_MS - 5_000)).toBe(0);
    expect(delay(next, NOW_MS - 400)).toBe(600);
    expect(delay({ ...live, rollout: { stage: 'Ramping', step: 2 } }, NOW_MS - 400)).toBe(600);
  });
  test('once a minute when only numbers changed', () => {
    expect(delay(numbers, NOW_MS - 400)).toBe(59_600);
    expect(delay(numbers, NOW_MS - 60_000)).toBe(0);
    expect(delay(numbers, null)).toBe(0);
    const before = { ...live, exits: undefined, conditions: undefined } as unknown as ServiceStatus;
    const write = { live: before, next: live, lastWriteMs: null, nowMs: NOW_MS, services: 1 };
    expect(statusWriteDelayMs(write)).toBe(0);
  });
  test('mere numbers of all services together at most five times a second, changes of each at once', () => {
    expect(delay(numbers, NOW_MS, 300)).toBe(60_000);
    expect(delay(numbers, NOW_MS, 1_000)).toBe(200_000);
    expect(delay(numbers, NOW_MS - 200_000, 1_000)).toBe(0);
    const next = { ...live, conditions: [aCondition('Ready', { status: 'False' })] };
    expect(delay(next, NOW_MS, 1_000)).toBe(1_000);
  });
});
