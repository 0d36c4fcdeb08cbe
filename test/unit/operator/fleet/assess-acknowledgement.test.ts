import { expect, test } from 'vitest';
import type { Acknowledgement } from '../../../../crds/wire/acknowledgement.ts';
import {
  assessAcknowledgement,
  assessAnswering,
} from '../../../../operator/fleet/assess-acknowledgement.ts';
import type { PodView } from '../../../../operator/fleet/fleet-pod.ts';
import { unheardPod } from '../../../../operator/fleet/poll-pod.ts';
import { aCandidate, aPolicy, aState, aTrack, anAcknowledgement } from '../../crds/documents.ts';

const POD = { uid: 'pod-1', name: 'vision-x1', ip: '10.0.0.1', adminGeneration: 1 };
const stable = aTrack().headRevision;
const other = `sha256:${'d'.repeat(64)}`;
const policy = aPolicy({ candidate: aCandidate({ headRevision: other }) });
const answers = (...classes: number[][]) => classes;
const expected = {
  policy,
  knownAnswers: new Map([
    [stable, answers([1, 2, 3])],
    [other, answers([3, 2, 1])],
  ]),
};

function view(changes: Partial<Acknowledgement> = {}, more: Partial<PodView> = {}): PodView {
  const { epoch, revision, backboneDigest } = policy;
  return {
    ...unheardPod(POD),
    bootId: 'boot-1',
    state: { loaded: true, state: aState() },
    heardMs: 0,
    acknowledgement: anAcknowledgement({
      epoch,
      revision,
      backboneDigest,
      headRevisions: [stable, other],
      result: 'AlreadyApplied',
      reason: '',
      message: '',
      knownAnswers: [
        { headRevision: stable, classes: [[1, 2, 3]] },
        { headRevision: other, classes: [[3, 2, 1]] },
      ],
      ...changes,
    }),
    ...more,
  };
}

const silent = { code: 'NoAnswer', message: 'https://10.0.0.1:8081: no answer within 2000 ms' };
const loading = {
  loaded: false as const,
  state: {
    schemaVersion: 1 as const,
    version: '0.1.0',
    podUid: 'pod-1',
    bootId: 'boot-1',
    model: 'vision',
    loading: { step: 'Fetching' as const, failedAttempts: 0, failure: null },
    companions: [],
  },
};

test.each<[string, PodView, number, string, RegExp]>([
  ['exactly this policy', view(), 89_999, 'Acknowledged', /^$/],
  [
    'silence for 90 s',
    view({}, { problem: silent }),
    90_000,
    'ReplicaUnreachable',
    /not answered for 90 s.*2000 ms/,
  ],
  ...[
    [599_999, '90 s'],
    [600_000, '10 min'],
    [3_600_000, 'an hour'],
    [86_400_000, 'a day'],
  ].map(([silentMs, words]): [string, PodView, number, string, RegExp] => [
    `silence for ${words} and more`,
    view({}, { problem: silent }),
    Number(silentMs),
    'ReplicaUnreachable',
    new RegExp(`not answered for ${words} on`),
  ]),
  ['an answer long ago and no call since', view(), 300_000, 'Acknowledged', /^$/],
  ['one missed answer', view({}, { problem: silent }), 30_000, 'Acknowledged', /^$/],
  [
    'no answer ever',
    { ...unheardPod(POD), problem: silent },
    5,
    'ReplicaUnreachable',
    /never answered/,
  ],
  ['nobody asked yet', unheardPod(POD), 5, 'WaitingForReplicas', /not loaded/],
  [
    'a backbone that is being loaded',
    { ...unheardPod(POD), state: loading, heardMs: 0 },
    5,
    'WaitingForReplicas',
    /not loaded/,
  ],
  [
    'a lower policy',
    view({ revision: policy.revision - 1 }),
    5,
    'WaitingForReplicas',
    /has policy 3.16, not 3.17/,
  ],
  [
    'a higher policy',
    view({ revision: policy.revision + 1 }),
    5,
    'WaitingForReplicas',
    /has policy 3.18/,
  ],
  [
    'a refusal',
    view({
      revision: 1,
      result: 'Rejected',
      reason: 'CertificateRejected',
      message: 'It does not hold.',
    }),
    5,
    'PolicyRejected',
    /vision-x1 refused a policy \(CertificateRejected\): It does not hold/,
  ],
  ['another backbone', view({ backboneDigest: other }), 5, 'WaitingForReplicas', /has backbone/],
  [
    'heads that the engine gave up',
    view({ reason: 'EngineFailed' }),
    5,
    'PolicyRejected',
    /EngineFailed/,
  ],
  [
    'a candidate that is not there',
    view({ headRevisions: [stable] }),
    5,
    'WaitingForReplicas',
    /lacks head bundle sha256:ddd/,
  ],
  [
    'known answers of the other revision',
    view({
      knownAnswers: [
        { headRevision: stable, classes: [[3, 2, 1]] },
        { headRevision: other, classes: [[3, 2, 1]] },
      ],
    }),
    5,
    'KnownAnswerMismatch',
    /replace the pod/,
  ],
  [
    'no known answers',
    view({ knownAnswers: [] }),
    5,
    'KnownAnswerMismatch',
    /known answers of sha256/,
  ],
])('%s', (...row) => {
  const [, pod, monotonicMs, code, message] = row;
  const verdict = assessAcknowledgement(pod, expected, monotonicMs);
  expect(verdict.code).toBe(code);
  expect(verdict.message).toMatch(message);
});

test('before there is a policy a pod is unreachable when it was asked and has not answered for 90 s', () => {
  const unheard = unheardPod(POD);
  expect(assessAnswering(unheard, 0)).toBeNull();
  expect(assessAnswering({ ...unheard, problem: silent }, 0)).toEqual({
    code: 'ReplicaUnreachable',
    message: `Pod vision-x1 has never answered on its admin port: ${silent.message}`,
  });
  expect(assessAnswering(view({}, { problem: silent }), 89_999)).toBeNull();
  expect(assessAnswering(view({}, { problem: silent }), 95_000)?.message).toContain('for 90 s');
});
