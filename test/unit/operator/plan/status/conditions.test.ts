import { describe, expect, test } from 'vitest';

import { serviceStatus } from '../../../../../crds/v1alpha1/service-status.ts';
import { aState } from '../../../crds/documents.ts';
import { assessConditions } from '../../../../../operator/plan/status/conditions.ts';
import type {
  PodFacts,
  PolicyVerdict,
  StatusFacts,
} from '../../../../../operator/plan/status/facts.ts';
import { toVerdict } from '../../../../../operator/plan/status/verdict.ts';
import {
  aCondition,
  aDeployment,
  aDeploymentWithout,
  aLoadingServer,
  aPod,
  aPodWithNoClass,
  aPodWithout,
  aServer,
  aSpec,
  BEFORE,
  someFacts,
} from './builders.ts';
import { describeCondition } from './describe-condition.ts';

const CONFLICT = { kind: 'Service', name: 'vision', holder: 'has no owner', isLeaving: false };

describeCondition('Valid', [
  ['is True when every check passes', {}, 'True Accepted: The spec is accepted.'],
  [
    'says that a newer operator made the pods',
    { isTemplateKept: true },
    'True Accepted: The spec is accepted. Its pods stay as a newer operator made them: install that version again, or delete the Deployment to have it made anew.',
  ],
  [
    'names the field that breaks a rule, before anything else',
    {
      spec: null,
      specProblem: 'spec.exits: two exits name the same tensor: keep one',
      conflicts: [CONFLICT],
    },
    'False InvalidSpec: The spec is not applied, what runs goes on: spec.exits: two exits name the same tensor: keep one. Fix the named field.',
  ],
  [
    'names a foreign object',
    { conflicts: [CONFLICT] },
    'False NameConflict: Service vision has no owner. Remove the named foreign object or rename the service.',
  ],
  [
    'names all foreign objects',
    {
      conflicts: [
        CONFLICT,
        { ...CONFLICT, kind: 'Deployment' },
        { ...CONFLICT, kind: 'ConfigMap' },
      ],
    },
    'False NameConflict: Service vision has no owner; likewise Deployment vision, ConfigMap vision. Remove the named foreign object or rename the service.',
  ],
  [
    'waits for a foreign object that is going',
    { conflicts: [{ ...CONFLICT, isLeaving: true }] },
    'Unknown NameConflict: Service vision has no owner. Wait: it is removed soon.',
  ],
  [
    'names ConfigMaps that are not there, with their fields',
    { missingConfigMaps: [{ field: 'spec.backbone.caBundleConfigMapName', name: 'corp-ca' }] },
    'False ConfigMapNotFound: There is no ConfigMap corp-ca (spec.backbone.caBundleConfigMapName); pods stay as they are. Create it; it is seen within 30 s.',
  ],
  [
    'quotes what is wrong with the pod template',
    {
      templateProblems: [
        {
          path: '.spec.template.spec.containers[name="server"].imagePulPolicy',
          message: 'field not declared in schema',
        },
        { path: '.spec.template.spec.x', message: 'y' },
      ],
    },
    'False PodTemplateRejected: .spec.template.spec.containers[name="server"].imagePulPolicy: field not declared in schema; .spec.template.spec.x: y. Fix the field of pod or podTemplate that the message quotes.',
  ],
  [
    'names the object that the API server refuses once, then field and cause',
    {
      templateProblems: [
        'failed to create typed patch object (ml/vision; apps/v1, Kind=Deployment): .spec.x: field not declared in schema',
        'Deployment.apps "vision" is invalid: spec.y: Invalid value: "2": must be 1',
        'failed to convert new object (ml/vision; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match',
      ].map((message) => ({ path: 'Deployment vision', message })),
    },
    'False PodTemplateRejected: Deployment vision: .spec.x: field not declared in schema; Deployment vision: spec.y: Invalid value: "2": must be 1; Deployment vision: quantities must match. Fix the field of pod or podTemplate that the message quotes.',
  ],
  [
    'quotes what the API server says of a child that it does not take',
    {
      rejections: [
        { kind: 'HorizontalPodAutoscaler', name: 'vision', message: 'spec.metrics: bad' },
        { kind: 'NetworkPolicy', name: 'vision', message: 'spec.ingress: worse' },
      ],
    },
    'False InvalidSpec: The API server refuses HorizontalPodAutoscaler vision: spec.metrics: bad; NetworkPolicy vision: spec.ingress: worse. Fix the named field.',
  ],
]);

describeCondition('Ready', [
  [
    'is True when the endpoint answers',
    {},
    'True Serving: The endpoint answers for this generation.',
  ],
  [
    'has the reason of Valid first',
    { missingConfigMaps: [{ field: 'f', name: 'n' }], deployment: null },
    'False ConfigMapNotFound: There is no ConfigMap n (f); pods stay as they are. Create it; it is seen within 30 s.',
  ],
  [
    'has the reason of Available next',
    { deployment: null },
    'False Starting: The Deployment is not there yet. Wait.',
  ],
  [
    'does not care about exits',
    { exits: { exits: [], missing: [], companions: [] } },
    'True Serving: The endpoint answers for this generation.',
  ],
]);

describeCondition('Stalled', [
  ['is left out while things get on', {}, null],
  [
    'is left out while a foreign object is going',
    { conflicts: [{ ...CONFLICT, isLeaving: true }] },
    null,
  ],
  [
    'has the reason of Valid',
    { conflicts: [CONFLICT] },
    'True NameConflict: Service vision has no owner. Remove the named foreign object or rename the service.',
  ],
  [
    'is True when a roll is late',
    { deployment: aDeployment({ deadlineExceeded: 'late.' }) },
    'True ProgressDeadlineExceeded: late. See status.lastFailure and `kubectl describe pod` of the pods that are not ready.',
  ],
  ['is left out before there is a Deployment', { deployment: null }, null],
]);

const judged = (code: PolicyVerdict['code'], message = `Pod x: ${code}.`): PodFacts =>
  aPod({ server: aServer({ policy: { code, message } }) });

describeCondition('PolicyApplied', [
  [
    'is True when every ready pod acknowledged',
    {},
    'True AllReplicas: 1 of 1 pod acknowledged policy 4.17.',
  ],
  [
    'is True without a ready pod',
    { pods: [aPodWithout(), aPod({ isTerminating: true })] },
    'True NoReplicas: There is no ready pod to ask.',
  ],
  [
    'waits for the first policy',
    { policy: null },
    'Unknown WaitingForReplicas: 1 pod ready; the first policy follows once one has told its backbone. Wait.',
  ],
  [
    'names a pod that is silent before there is a policy, too',
    { policy: null, pods: [aPod(), judged('ReplicaUnreachable', 'Pod mute has never answered')] },
    'False ReplicaUnreachable: Pod mute has never answered. Check the network to port 8081.',
  ],
  [
    'waits for pods with another policy and pods that were not asked yet',
    { pods: [aPod(), judged('WaitingForReplicas'), aPod({ server: null })] },
    'Unknown WaitingForReplicas: 1 of 3 pods acknowledged policy 4.17. Wait.',
  ],
  [
    'quotes a pod that is silent',
    { pods: [aPod(), judged('ReplicaUnreachable', 'Pod mute has not answered for 95 s')] },
    'False ReplicaUnreachable: Pod mute has not answered for 95 s. Check the network to port 8081.',
  ],
  [
    'counts the pods that have the same trouble',
    { pods: [judged('ReplicaUnreachable', 'Pod mute is silent.'), judged('ReplicaUnreachable')] },
    'False ReplicaUnreachable: Pod mute is silent (and 1 pod more). Check the network to port 8081.',
  ],
  [
    'quotes a pod that refused it, before one that is silent',
    {
      pods: [
        judged('ReplicaUnreachable'),
        judged('PolicyRejected', 'Pod no refused a policy (ModelMismatch): another.'),
      ],
    },
    'False PolicyRejected: Pod no refused a policy (ModelMismatch): another. Compare image and environment of the named pod with the others; it takes no exits.',
  ],
  [
    'names a pod with wrong answers before everything',
    {
      pods: [judged('PolicyRejected'), judged('KnownAnswerMismatch', 'Pod odd answers otherwise.')],
    },
    'False KnownAnswerMismatch: Pod odd answers otherwise. Replace the named pod or its node; it takes no exits.',
  ],
]);

const withExits = (fields: Partial<NonNullable<StatusFacts['exits']>>): Partial<StatusFacts> => ({
  exits: { exits: [], missing: [], companions: [], ...fields },
});

describeCondition('ExitsActive', [
  [
    'counts the rows that heads will be trained on',
    { pods: [aPod(), aPod(), aPodWithout()] },
    'False CollectingSamples: The backbone answers everything; 200 rows are recorded. Wait: progress is in the message; more traffic makes it faster.',
  ],
  [
    'is Unknown when the spec cannot be read',
    { spec: null, specProblem: 'spec.exits: too many' },
    'Unknown InvalidSpec: The spec is not applied: spec.exits: too many. Fix the named field.',
  ],
  [
    'says that a plain server was asked for',
    { spec: aSpec({ exits: [] }) },
    'False NoExits: spec.exits is an empty list: the plain backbone serves. As configured; to have exits, name some that `layercache inspect MODEL` lists.',
  ],
  [
    'says that exits are switched off',
    { spec: aSpec({ exitMode: 'Shadow' }) },
    'False Disabled: spec.exitMode is Shadow. As configured.',
  ],
  [
    'says that a budget of 0 allows none',
    { spec: aSpec({ accuracy: { maxDisagreement: '0%' } }) },
    'False Disabled: spec.accuracy.maxDisagreement is 0%: no request may ever leave early. As configured.',
  ],
  [
    'asks for the output when there are several',
    {
      exits: { exits: [], missing: [], companions: [] },
      pods: [
        aPodWithNoClass('OutputAmbiguous', 'Outputs: a, b; name one'),
        aPodWithout(),
        aPodWithout({ server: aLoadingServer(null) }),
      ],
    },
    'False OutputAmbiguous: Outputs: a, b; name one.',
  ],
  [
    'says that no output tells classes apart',
    {
      exits: { exits: [], missing: [], companions: [] },
      pods: [aPodWithNoClass('NoClassOutput', 'Only boxes; export scores')],
    },
    'False NoExits: Only boxes; export scores.',
  ],
  [
    'asks for no output while one pod of a roll has its name already',
    { pods: [aPodWithNoClass('OutputAmbiguous', 'Outputs: a, b; name one'), aPod()] },
    'False CollectingSamples: The backbone answers everything; 200 rows are recorded. Wait: progress is in the message; more traffic makes it faster.',
  ],
  [
    'is Unknown before a backbone is loaded',
    { exits: null },
    'Unknown Starting: No pod has loaded the backbone yet. Wait.',
  ],
  [
    'says that there is no cut',
    withExits({}),
    'False NoExits: The backbone has no tensor where it can be cut. As configured; to have exits, name some that `layercache inspect MODEL` lists.',
  ],
  [
    'names tensors that are no cut',
    {
      spec: aSpec({ exits: [{ name: 'a', tensor: 't' }] }),
      ...withExits({
        missing: [
          { exit: 'a', tensor: 't', hint: 'is no cut; did you mean u?' },
          { exit: 'b', tensor: 'v', hint: 'is no cut' },
        ],
      }),
    },
    'False TensorNotFound: exit a: t is no cut; did you mean u?; exit b: v is no cut. Use a name that `layercache inspect MODEL` lists.',
  ],
  [
    'names a companion that does not load',
    {
      spec: aSpec({ exits: [{ name: 'small', model: { uri: 'https://a.example/s' } }] }),
      ...withExits({ companions: ['small'] }),
      pods: [
        aPod({ server: null }),
        aPod({ server: aServer({ state: { loaded: true, state: aState() } }) }),
      ],
    },
    'False CompanionLoadFailed: Exit small: This image runs no companions.',
  ],
  [
    'says that pinned heads are not there',
    { pinnedHeads: { code: 'HeadsNotFound', message: 'heads.revision names mine, and so on' } },
    'False HeadsNotFound: heads.revision names mine, and so on. Pin another revision or remove the pin.',
  ],
  [
    'says that pinned heads do not fit',
    { pinnedHeads: { code: 'HeadsIncompatible', message: 'heads.revision mine is for service x' } },
    'False HeadsIncompatible: heads.revision mine is for service x. Pin another revision or remove heads.revision.',
  ],
  [
    'says that nothing trains heads',
    { spec: aSpec({ heads: { training: { mode: 'Off' } } }) },
    'False NoHeads: There are no heads, and heads.training.mode is Off. Set heads.training.mode to Auto or heads.revision.',
  ],
  [
    'says that nothing tunes',
    { spec: aSpec({ tuning: { mode: 'Off' } }) },
    'False NoHeads: There are no heads, and tuning.mode is Off. Set heads.training.mode to Auto or heads.revision.',
  ],
  [
    'says that heads are only recommended, and how far they are',
    { spec: aSpec({ tuning: { mode: 'Recommend' } }) },
    'False RecommendOnly: tuning.mode is Recommend, so heads are not rolled out. The backbone answers everything; 100 rows are recorded. Accept a revision with heads.revision.',
  ],
  [
    'does not speak of recommending once a revision was accepted',
    {
      spec: aSpec({ tuning: { mode: 'Recommend' }, heads: { revision: 'mine' } }),
      pinnedHeads: { code: 'Usable', message: '' },
    },
    'False CollectingSamples: The backbone answers everything; 100 rows are recorded. Wait: progress is in the message; more traffic makes it faster.',
  ],
  [
    'does not ask for training when heads are pinned',
    {
      spec: aSpec({ tuning: { mode: 'Off' }, heads: { revision: 'mine' } }),
      pinnedHeads: { code: 'Usable', message: '' },
    },
    'False CollectingSamples: The backbone answers everything; 100 rows are recorded. Wait: progress is in the message; more traffic makes it faster.',
  ],
]);

describeCondition('WithinBudget', [
  [
    'is Unknown without a certificate',
    {},
    'Unknown NoCertificate: No heads are in force, so no request leaves early.',
  ],
]);
describeCondition('RolloutSucceeded', [
  ['is True without a candidate', {}, 'True NoRollout: There is no candidate.'],
]);

const scaled = aSpec({ autoscaling: { maxReplicas: 4 } });
const scaling = (status: string, reason: string, message: string): Partial<StatusFacts> => ({
  spec: scaled,
  autoscaler: { scalingActive: { status, reason, message } },
});

describeCondition('AutoscalingActive', [
  ['is left out without an autoscaler', {}, null],
  [
    'is left out while suspended',
    { spec: aSpec({ autoscaling: { maxReplicas: 4 }, suspend: true }) },
    null,
  ],
  [
    'is left out while there is nothing to scale',
    scaling('False', 'ScalingDisabled', 'at 0'),
    null,
  ],
  [
    'is Unknown before the first metric',
    { spec: scaled },
    'Unknown MetricsUnavailable: The autoscaler has not read a metric yet. Wait; if it stays so, check the metrics adapter.',
  ],
  [
    'is True when it has its metrics',
    scaling('True', 'ValidMetricFound', 'the HPA was able to compute'),
    'True ScalingActive: the HPA was able to compute.',
  ],
  [
    'quotes it when it has none',
    scaling('False', 'FailedGetResourceMetric', 'no metrics returned'),
    'False MetricsUnavailable: FailedGetResourceMetric: no metrics returned. Check the metrics adapter; the message is the one of the HPA.',
  ],
]);

describe('a condition', () => {
  const typesOf = (facts: Partial<StatusFacts>): string[] =>
    assessConditions(someFacts(facts)).map(({ type }) => type);

  test('stands once per type, in a fixed order', () => {
    expect(typesOf({ conflicts: [CONFLICT], spec: scaled })).toEqual([
      'Ready',
      'Valid',
      'Available',
      'PolicyApplied',
      'ExitsActive',
      'WithinBudget',
      'RolloutSucceeded',
      'AutoscalingActive',
      'Stalled',
    ]);
  });

  test('keeps the time of its transition while its status is the same, also with another reason', () => {
    const previous = {
      conditions: [
        aCondition('Ready', { reason: 'Other' }),
        aCondition('Valid', { status: 'False' }),
      ],
    };
    const conditions = assessConditions(someFacts({ previous }));
    const timeOf = (type: string): string | undefined =>
      conditions.find((condition) => condition.type === type)?.lastTransitionTime;
    expect(timeOf('Ready')).toBe(BEFORE);
    expect(timeOf('Valid')).toBe('2026-11-25T10:00:00Z');
    expect(timeOf('Available')).toBe('2026-11-25T10:00:00Z');
  });

  test('is one that the API accepts, however long its cause', () => {
    const message = 'x'.repeat(5_000);
    const facts = someFacts({
      deployment: aDeploymentWithout(1, { replicaFailure: message }),
      templateProblems: [{ path: '.p', message }],
    });
    const conditions = assessConditions(facts);
    expect(serviceStatus.safeParse({ conditions }).error).toBeUndefined();
    const available = conditions.find(({ type }) => type === 'Available')!;
    expect(available.message).toHaveLength(1024);
    expect(available.message.endsWith('x... Grant the named verb or raise the quota.')).toBe(true);
  });

  test('without a next step is cut at its end', () => {
    expect(toVerdict('True', 'ScalingActive', 'y'.repeat(2_000)).message).toBe(
      `${'y'.repeat(1020)}... `,
    );
  });

  test('has a reason of at most 17 characters for the column of exits', () => {
    for (const reason of [
      'CollectingSamples',
      'HeadsIncompatible',
      'OutputAmbiguous',
      'TensorNotFound',
    ]) {
      expect(reason.length).toBeLessThanOrEqual(17);
    }
  });
});
