import { describe, expect, test } from 'vitest';
import { parsePolicy, serializePolicy } from '../../../../crds/wire/policy.ts';
import {
  decidePolicy,
  type PolicyInput,
} from '../../../../operator/controllers/cached-model-service/decide-policy.ts';
import type { ServerState } from '../../../../crds/wire/state.ts';
import type { Gathered } from '../../../../operator/controllers/cached-model-service/gather.ts';
import type { PodView } from '../../../../operator/fleet/fleet-pod.ts';
import type { KubeObject } from '../../../../operator/kube/api.ts';
import { anAcknowledgement, aPolicy, aState, DIGEST_A, DIGEST_B } from '../../crds/documents.ts';
import { installationName } from '../../../../operator/plan/defaults.ts';
import { aServiceToPlan, INSTALLATION } from '../plan/builders.ts';

const service = aServiceToPlan();

function aView(uid: string, digest: string, pair?: readonly [number, number]): PodView {
  const state = aState({ backbone: { ...aState().backbone, digest } });
  const [epoch = 0, revision = 0] = pair ?? [];
  return {
    pod: { uid, name: uid, ip: '10.0.0.1', adminGeneration: 1 },
    bootId: 'boot-1',
    state: { loaded: true, state },
    acknowledgement: pair === undefined ? null : anAcknowledgement({ epoch, revision }),
    heardMs: 0,
    problem: null,
    windows: [],
    droppedSeqs: [],
    oldestSeq: 1,
  };
}

function aReadyPod(uid: string): KubeObject {
  const conditions = [{ type: 'Ready', status: 'True' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: uid, uid }, status: { conditions } };
}

function gatheredOf(
  views: readonly PodView[],
  policy?: { readonly epoch: number; readonly revision: number },
  ready: readonly string[] = views.map(({ pod }) => pod.uid),
): Gathered {
  return { views, pods: ready.map(aReadyPod), previous: { policy } } as unknown as Gathered;
}

function decided(
  views: readonly PodView[],
  input: Partial<PolicyInput> = {},
  ready: readonly string[] = views.map(({ pod }) => pod.uid),
): ReturnType<typeof decidePolicy> {
  const gathered = gatheredOf(views, undefined, ready);
  const rest = { live: null, remembered: null, writer: 'me', leaseTransitions: 0 };
  const installation = INSTALLATION;
  return decidePolicy({ gathered, service, installation, ...rest, ...input });
}

function aStored(writer: string, epoch: number, digest = DIGEST_A): KubeObject {
  const policy = aPolicy({ epoch, stable: null, candidate: null, backboneDigest: digest });
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'vision-policy',
      annotations: {
        'layercache.io/writer': writer,
        'layercache.io/epoch': String(epoch),
        'layercache.io/installation': installationName(INSTALLATION),
      },
    },
    data: { 'policy.json': serializePolicy(policy) },
  };
}

/** A pod with the file of the others whose class output nobody named. */
function withoutClassOutput(view: PodView): PodView {
  if (view.state?.loaded !== true) throw new Error('it has not loaded its backbone');
  const { state } = view.state;
  const outputProblem = { code: 'OutputAmbiguous', message: 'Name one.' } as const;
  const none = { outputName: null, outputKind: null, classCount: 0, outputProblem };
  const backbone = { ...state.backbone, ...none };
  return { ...view, state: { loaded: true, state: { ...state, backbone, cuts: [] } } };
}

/** A pod that runs this file before its backbone. */
function withCompanion(view: PodView, digest: string): PodView {
  if (view.state?.loaded !== true) throw new Error('it has not loaded its backbone');
  const small = { name: 'small', digest, format: 'ONNX', sizeBytes: 10, macs: 10, msShare: 0.1 };
  const state = { ...view.state.state, companionModels: [small] } as ServerState;
  return { ...view, state: { loaded: true, state } };
}

test('of two companions for one exit the one in force stays while a pod has it, then the one of most pods', () => {
  const model = { uri: 'file:///small.onnx' };
  const own = aServiceToPlan({ exits: [{ name: 'small', model }] });
  const pods = [DIGEST_A, DIGEST_B, DIGEST_B].map((digest, i) =>
    withCompanion(aView(String(i), DIGEST_A), digest),
  );
  const most = decided(pods, { service: own });
  expect(most.policy?.exits).toMatchObject([{ name: 'small', modelDigest: DIGEST_B }]);
  const inForce = aPolicy({
    ...{ epoch: 1, revision: 1, stable: null, candidate: null, backboneDigest: DIGEST_A },
    exits: [{ name: 'small', modelDigest: DIGEST_A, mode: 'Active' }],
  });
  const live = { ...aStored('me', 1), data: { 'policy.json': serializePolicy(inForce) } };
  const kept = decided(pods, { service: own, live });
  expect(kept.policy?.exits).toMatchObject([{ name: 'small', modelDigest: DIGEST_A }]);
  const gone = decided(pods.slice(1), { service: own, live });
  expect(gone.policy?.exits).toMatchObject([{ name: 'small', modelDigest: DIGEST_B }]);
});

test('without a class output there is a policy without exits; one pod of a roll that has a name speaks for all', () => {
  const ambiguous = withoutClassOutput(aView('a', DIGEST_A));
  expect(decided([ambiguous]).policy).toMatchObject({ exits: [], backboneDigest: DIGEST_A });
  const { policy } = decided([ambiguous, aView('b', DIGEST_A)]);
  expect(policy?.exits).not.toEqual([]);
});

test('before any backbone is known an epoch is claimed and no policy made', () => {
  expect(decided([])).toEqual({ epoch: 1, writer: 'me', policy: null });
});

test('a claim is one above every epoch seen, wherever it was seen', () => {
  expect(decided([], { leaseTransitions: 7 }).epoch).toBe(8);
  expect(decided([], { live: aStored('other', 5) }).epoch).toBe(6);
  expect(decided([aView('a', DIGEST_A, [9, 1])], { live: aStored('other', 5) }).epoch).toBe(10);
});

test('what this process stored keeps its epoch, also when the answer to its write was lost', () => {
  expect(decided([aView('a', DIGEST_A)], { live: aStored('me', 5) }).epoch).toBe(5);
});

describe('what an earlier process stored', () => {
  const pods = [aView('a', DIGEST_A)];
  /** As that process stored it for the same pods. */
  const stored = decided(pods, { writer: 'other', leaseTransitions: 4 });
  const live: KubeObject = {
    ...aStored('other', 5),
    data: { 'policy.json': serializePolicy(stored.policy!) },
  };

  test('stays, with its name and epoch, while nothing has to be changed', () => {
    expect(decided(pods, { live, leaseTransitions: 9 })).toEqual(stored);
    expect(decided([], { live })).toEqual(stored);
  });

  test('is claimed with the first change, and where something else has to be stored', () => {
    const other = aServiceToPlan({ server: { batching: { maxQueueLength: 77 } } });
    const changed = decided(pods, { live, service: other });
    expect(changed).toMatchObject({ epoch: 6, writer: 'me', policy: { epoch: 6, revision: 1 } });
    const claimed = decided(pods, { live, mustClaim: true });
    expect(claimed).toMatchObject({ epoch: 6, writer: 'me', policy: { epoch: 6, revision: 1 } });
    expect(decided(pods, { live, content: null })).toEqual({
      epoch: 6,
      writer: 'me',
      policy: null,
    });
  });

  test.each<readonly [string, Partial<PolicyInput>]>([
    [
      'a pod has acknowledged a later one',
      { gathered: gatheredOf([aView('a', DIGEST_A, [5, 2])]) },
    ],
    ['the status tells of a later one', { gathered: gatheredOf(pods, { epoch: 5, revision: 2 }) }],
    ['this process stored another before', { remembered: { epoch: 4, policy: null } }],
    [
      'its epoch is not that of its document',
      { live: { ...aStored('other', 7), data: live.data } },
    ],
    ['another installation stored it', { installation: { ...INSTALLATION, release: 'other' } }],
    ['nobody has signed it', { live: { ...live, metadata: { name: 'vision-policy' } } }],
  ])('is claimed anew when %s', (_, input) => {
    expect(decided(pods, { live, ...input })).toMatchObject({ writer: 'me' });
  });

  test('before any backbone stays as well', () => {
    const claim = { ...aStored('other', 5), data: {} };
    expect(decided([], { live: claim })).toEqual({ epoch: 5, writer: 'other', policy: null });
  });
});

test('a pod that acknowledges more than was stored makes it claim anew', () => {
  const live = aStored('me', 5);
  expect(decided([aView('a', DIGEST_A, [5, 18])], { live })).toMatchObject({
    epoch: 6,
    policy: { epoch: 6, revision: 1 },
  });
});

test('without a pod to ask, what was known of the backbone stays', () => {
  expect(decided([], { live: aStored('me', 5, DIGEST_B) }).policy?.backboneDigest).toBe(DIGEST_B);
});

test('the backbone in force stays while a ready pod has it, then the one of most ready pods is', () => {
  const live = aStored('me', 5, DIGEST_A);
  const both = [aView('a', DIGEST_A), aView('b', DIGEST_B), aView('c', DIGEST_B)];
  expect(decided(both, { live }).policy?.backboneDigest).toBe(DIGEST_A);
  expect(decided(both, { live }, ['b']).policy?.backboneDigest).toBe(DIGEST_B);
  expect(decided(both).policy?.backboneDigest).toBe(DIGEST_B);
});

describe('the log level of a service', () => {
  const debugging = aServiceToPlan({ server: { logLevel: 'Debug' } });
  const reading = (uid: string, policySchemaVersions: readonly number[]): PodView => {
    const state = { ...aState(), policySchemaVersions };
    return { ...aView(uid, DIGEST_A), state: { loaded: true, state } };
  };
  const versionOf = ({ policy }: ReturnType<typeof decided>): readonly unknown[] => [
    policy?.schemaVersion,
    policy?.limits.logLevel,
  ];

  test('travels in the policy once every pod reads the version that has a field for it', () => {
    const input = { service: debugging };
    expect(versionOf(decided([reading('a', [1, 2])], input))).toEqual([2, 'Debug']);
    const mixed = [reading('a', [1, 2]), reading('b', [1])];
    expect(versionOf(decided(mixed, input))).toEqual([1, undefined]);
  });

  test('is taken out again when a pod of an older image comes, and the policy counts on', () => {
    const { policy } = decided([reading('a', [1, 2])], { service: debugging });
    const live = {
      ...aStored('me', 1),
      data: { 'policy.json': serializePolicy(policy!) },
    };
    const older = decided([reading('a', [1])], { service: debugging, live });
    expect(versionOf(older)).toEqual([1, undefined]);
    expect(older.policy).toMatchObject({ epoch: 1, revision: 2 });
    expect(parsePolicy(serializePolicy(older.policy!)).ok).toBe(true);
  });

  test('changes in the version that was published last while no pod can be asked', () => {
    const { policy } = decided([reading('a', [1, 2])]);
    const live = { ...aStored('me', 1), data: { 'policy.json': serializePolicy(policy!) } };
    expect(versionOf(decided([], { service: debugging, live }))).toEqual([2, 'Debug']);
    expect(versionOf(decided([], { service: debugging, live: aStored('me', 1) }))).toEqual([
      1,
      undefined,
    ]);
  });

  test('is left out when there is no version that all pods read', () => {
    expect(versionOf(decided([reading('a', [9])], { service: debugging }))[0]).toBe(1);
  });
});
