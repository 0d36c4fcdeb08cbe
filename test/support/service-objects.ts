// Objects of a service as the API server holds them, in the states that people ask about.
import type { KubeObject } from '../../operator/kube/api.ts';
import { aDigest, REVISION } from './builders.ts';

/** All times below are before it. */
export const NOW_MS = Date.parse('2027-01-15T08:00:00Z');

export const DIGEST = aDigest(0xb0);
export const STABLE_NAME = 'vision-aaaaaaaaaaaa';
export const CANDIDATE_NAME = 'vision-bbbbbbbbbbbb';

export function ago(seconds: number): string {
  return `${new Date(NOW_MS - 1000 * seconds).toISOString().slice(0, 19)}Z`;
}

export function aCondition(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason: string,
  message: string,
): Record<string, unknown> {
  return { type, status, reason, message, lastTransitionTime: ago(3_700), observedGeneration: 2 };
}

const READY = [
  aCondition('Ready', 'True', 'Serving', 'The endpoint answers for this generation.'),
  aCondition('Valid', 'True', 'Accepted', 'The spec is accepted.'),
  aCondition('Available', 'True', 'MinimumReplicasAvailable', '2 of 2 pods ready.'),
  aCondition('PolicyApplied', 'True', 'AllReplicas', '2 of 2 pods acknowledged policy 3.17.'),
];

const BACKBONE = {
  digest: DIGEST,
  format: 'ONNX',
  engine: 'onnx',
  device: 'cpu',
  sizeBytes: 46_800_000,
  classCount: 1000,
  loadedReplicas: 2,
};

const PODS = {
  observedGeneration: 2,
  replicas: 2,
  readyReplicas: 2,
  updatedReplicas: 2,
  availableReplicas: 2,
  url: 'http://vision.ml.svc:80',
  backbone: BACKBONE,
  policy: { epoch: 3, revision: 17, appliedReplicas: 2 },
};

interface ObjectParts {
  readonly spec?: Record<string, unknown>;
  readonly annotations?: Record<string, string>;
  readonly status?: Record<string, unknown>;
}

export function aServiceObject({ spec, annotations, status }: ObjectParts = {}): KubeObject {
  return {
    apiVersion: 'layercache.io/v1alpha1',
    kind: 'CachedModelService',
    metadata: {
      name: 'vision',
      namespace: 'ml',
      uid: 'uid-vision',
      generation: 2,
      creationTimestamp: ago(260_000),
      ...(annotations && { annotations }),
    },
    spec: {
      backbone: { uri: 'https://models.example.com/resnet18.onnx' },
      accuracy: { maxDisagreement: '1%' },
      ...spec,
    },
    status: status ?? {},
  };
}

/** Certified heads answer. */
export const SERVING: Record<string, unknown> = {
  ...PODS,
  conditions: [
    ...READY,
    aCondition('ExitsActive', 'True', 'Serving', 'Exits early, late may answer at lambda 0.0123.'),
    aCondition(
      'WithinBudget',
      'True',
      'Certified',
      '2 disagreements in 3012 audited requests: at most 1% at 95% confidence.',
    ),
    aCondition(
      'RolloutSucceeded',
      'True',
      'Promoted',
      'The candidate passed its last step and serves all traffic.',
    ),
    aCondition(
      'Trained',
      'True',
      'Completed',
      'New heads at early, late; attempt 1 to certify begins.',
    ),
  ],
  exits: [
    { name: 'early', tensor: 'early_out', costShare: '18.2%', mode: 'Active', exitedShare: '31%' },
    { name: 'late', tensor: 'late_out', costShare: '61%', mode: 'Active', exitedShare: '30.3%' },
    { name: 'last', tensor: 'last_out', costShare: '81%', mode: 'Shadow', reason: 'NoHeads' },
  ],
  heads: {
    stable: { revision: STABLE_NAME, id: REVISION.slice(7, 19), since: ago(90_000) },
    failed: [
      {
        revision: 'vision-cccccccccccc',
        digest: aDigest(0xcc),
        reason: 'Aborted',
        time: ago(180_000),
      },
    ],
  },
  accuracy: {
    disagreement: '0.4%',
    upperBound: '0.58%',
    audits: 5210,
    exitedShare: '61.3%',
    saving: '34%',
    measuredTime: ago(42),
  },
};

/** A second revision takes a quarter of the traffic. */
export const RAMPING: Record<string, unknown> = {
  ...SERVING,
  conditions: [
    ...(SERVING.conditions as Record<string, unknown>[]).filter(
      ({ type }) => type !== 'RolloutSucceeded',
    ),
    aCondition('RolloutSucceeded', 'Unknown', 'Ramping', 'The candidate takes 25% of the traffic.'),
  ],
  heads: {
    stable: { revision: STABLE_NAME, id: REVISION.slice(7, 19), since: ago(90_000) },
    candidate: { revision: CANDIDATE_NAME, id: '0000000000a2', since: ago(1_500) },
  },
  rollout: {
    stage: 'Ramping',
    step: 2,
    steps: 4,
    share: '25%',
    stepStartTime: ago(260),
    loadedReplicas: 2,
    message: 'The candidate takes 25% of the traffic.',
    checks: [
      { type: 'Disagreement', verdict: 'Pass', samples: 210, value: '0.476%', limit: '1%' },
      { type: 'ErrorRate', verdict: 'Pass', samples: 2100, value: '0%' },
      { type: 'LatencyP99', verdict: 'Inconclusive', samples: 61 },
    ],
  },
};

/** Nothing is known of the traffic but that there is too little. */
export const COLLECTING: Record<string, unknown> = {
  ...PODS,
  conditions: [
    ...READY,
    aCondition(
      'ExitsActive',
      'False',
      'CollectingSamples',
      'The backbone answers everything. 7,140 rows are missing. Wait: progress is in the message; more traffic makes it faster.',
    ),
    aCondition('RolloutSucceeded', 'True', 'NoRollout', 'There is no candidate.'),
    aCondition('Trained', 'Unknown', 'WaitingForSamples', '7,140 rows are missing.'),
  ],
  exits: [
    { name: 'early', tensor: 'early_out', costShare: '18.2%', mode: 'Active', reason: 'NoHeads' },
    { name: 'late', tensor: 'late_out', costShare: '61%', mode: 'Active', reason: 'NoHeads' },
  ],
};

/** The first heads shadow and wait for their look. */
export const SHADOWING: Record<string, unknown> = {
  ...COLLECTING,
  conditions: [
    ...READY,
    aCondition(
      'ExitsActive',
      'False',
      'Shadowing',
      'The backbone answers everything. No look is taken yet; the next is at 1,000 audited rows. Wait: progress is in the message; more traffic makes it faster.',
    ),
    aCondition(
      'WithinBudget',
      'Unknown',
      'NoCertificate',
      'The heads in force have no certificate.',
    ),
    aCondition(
      'RolloutSucceeded',
      'Unknown',
      'Shadowing',
      'No look is taken yet; the next is at 1,000 audited rows.',
    ),
  ],
  heads: { candidate: { revision: CANDIDATE_NAME, id: '0000000000a2', since: ago(900) } },
  rollout: { stage: 'Shadowing', steps: 4, share: '0%', loadedReplicas: 2 },
};

/** The audits of the heads in force exceeded the budget. */
export const ALARM: Record<string, unknown> = {
  ...SERVING,
  conditions: [
    ...READY,
    aCondition(
      'ExitsActive',
      'False',
      'Alarm',
      'The backbone answers everything. Exits are off (Alarm). No look is taken yet; the next is at 1,000 audited rows. Nothing to do: the heads are recertified or retrained.',
    ),
    aCondition(
      'WithinBudget',
      'False',
      'BudgetExceeded',
      'The audits of the heads in force exceeded the budget. Exits are already off; look at the traffic.',
    ),
    aCondition('RolloutSucceeded', 'True', 'Promoted', 'The candidate passed its last step.'),
  ],
};

/** A candidate failed a check of the ramp, and the backbone answers. */
export const ABORTED: Record<string, unknown> = {
  ...COLLECTING,
  conditions: [
    ...READY,
    aCondition(
      'ExitsActive',
      'False',
      'RolloutAborted',
      'The backbone answers everything: condition RolloutSucceeded says why. 10,000 rows are missing.',
    ),
    aCondition(
      'RolloutSucceeded',
      'False',
      'Aborted',
      'LatencyP99 failed twice at 25%: 8.1% of 2,210 requests above the limit of 1%. Retry the revision, or wait for other heads.',
    ),
  ],
  heads: {
    failed: [
      { revision: CANDIDATE_NAME, digest: aDigest(0xa2), reason: 'Aborted', time: ago(600) },
    ],
  },
};

export function anEventObject(reason: string, note: string, secondsAgo: number): KubeObject {
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `vision.${reason.toLowerCase()}.${secondsAgo}`, namespace: 'ml' },
    type: ['Alarm', 'RolloutAborted', 'BudgetExceeded'].includes(reason) ? 'Warning' : 'Normal',
    reason,
    note,
    action: 'Decide',
    reportingController: 'layercache.io/operator',
    reportingInstance: 'operator-0',
    eventTime: `${ago(secondsAgo).slice(0, 19)}.000000Z`,
    regarding: {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      namespace: 'ml',
      name: 'vision',
      uid: 'uid-vision',
    },
  };
}
