import { REASONS } from '../../../../../crds/v1alpha1/reasons.ts';
import type { PodFacts, StatusFacts } from '../../../../../operator/plan/status/facts.ts';
import {
  aCondition,
  aDeployment,
  aDeploymentWithout,
  aLoadingServer,
  anEnd,
  aPod,
  aPodWithout,
  aServer,
  aSpec,
} from './builders.ts';
import { describeCondition, type ConditionRow } from './describe-condition.ts';

const GPU = 'nvidia.com/gpu';

const unready = (fields: Partial<PodFacts>): Partial<StatusFacts> => ({
  deployment: aDeploymentWithout(),
  pods: [aPodWithout(fields)],
});

describeCondition('Available', [
  ['is True with enough pods', {}, 'True MinimumReplicasAvailable: 1 of 1 pod ready.'],
  [
    'is True with as many as a roll leaves, and says what the others lack',
    {
      deployment: aDeployment({
        wantedReplicas: 3,
        replicas: 3,
        updatedReplicas: 3,
        readyReplicas: 2,
        availableReplicas: 2,
        maxUnavailable: '50%',
      }),
      pods: [aPod(), aPodWithout({ unschedulable: '0/3 nodes are available' })],
    },
    'True MinimumReplicasAvailable: 2 of 3 pods ready. Pod vision-a: 0/3 nodes are available.',
  ],
  [
    'is True with fewer pods than wanted when nothing is wrong with them',
    {
      spec: aSpec({ autoscaling: { maxReplicas: 8 } }),
      deployment: aDeployment({ wantedReplicas: 8 }),
    },
    'True MinimumReplicasAvailable: 1 of 8 pods ready.',
  ],
  [
    'is never True without a pod, whatever a roll may take away',
    { deployment: aDeploymentWithout(1, { maxUnavailable: 1 }), pods: [] },
    'False Starting: 0 of 1 pod ready. Wait.',
  ],
  [
    'is False before there is a Deployment',
    { deployment: null },
    'False Starting: The Deployment is not there yet. Wait.',
  ],
  [
    'says which call is forbidden when there is no Deployment',
    {
      deployment: null,
      refusals: [{ verb: 'create', resource: 'deployments', message: 'no rule' }],
    },
    'False Forbidden: The operator may not create deployments: no rule. Grant the named verb or raise the quota.',
  ],
  [
    'is Unknown when a call is forbidden and pods serve',
    { refusals: [{ verb: 'patch', resource: 'services', message: 'no rule' }] },
    'Unknown Forbidden: The operator may not patch services: no rule (1 pod ready meanwhile). Grant the named verb or raise the quota.',
  ],
  [
    'is False when a call is forbidden and none does',
    {
      deployment: aDeploymentWithout(),
      refusals: [{ verb: 'patch', resource: 'services', message: 'no rule' }],
    },
    'False Forbidden: The operator may not patch services: no rule. Grant the named verb or raise the quota.',
  ],
  [
    'is False while suspended',
    { spec: aSpec({ suspend: true }) },
    'False Suspended: spec.suspend is true: there are no pods.',
  ],
  [
    'is False without replicas',
    { spec: aSpec({ replicas: 0 }), deployment: aDeploymentWithout(0) },
    'False ScaledToZero: The service has 0 replicas, as asked for.',
  ],
  [
    'is False when somebody scaled an autoscaled one to 0',
    { spec: aSpec({ autoscaling: { maxReplicas: 2 } }), deployment: aDeploymentWithout(0) },
    'False ScaledToZero: The service has 0 replicas, as asked for.',
  ],
  [
    'goes by the Deployment when the spec cannot be read',
    { spec: null, deployment: aDeploymentWithout(0) },
    'False ScaledToZero: The service has 0 replicas, as asked for.',
  ],
  [
    'waits for pods that were just asked for',
    { deployment: aDeploymentWithout(0), pods: [] },
    'False Starting: 0 of 1 pod ready. Wait.',
  ],
  [
    'names the resource that no node has',
    {
      ...unready({ unschedulable: `0/3 nodes are available: 3 Insufficient ${GPU}.` }),
      deployment: aDeploymentWithout(1, { acceleratorNames: [GPU] }),
    },
    `False InsufficientAccelerators: Pod vision-a: no node has a free ${GPU}: 0/3 nodes are available: 3 Insufficient ${GPU}. Free the named resource or lower replicas.`,
  ],
  [
    'takes an unmet claim for a missing device',
    unready({ unschedulable: '0/1 nodes are available: 1 cannot allocate all claims.' }),
    'False InsufficientAccelerators: Pod vision-a: 0/1 nodes are available: 1 cannot allocate all claims. Free the named resource or lower replicas.',
  ],
  [
    'quotes the scheduler',
    unready({ unschedulable: '0/1 nodes are available: 1 Insufficient memory' }),
    'False Unschedulable: Pod vision-a: 0/1 nodes are available: 1 Insufficient memory. Relax the constraint in the message or add nodes.',
  ],
  [
    'does not call a pod unschedulable while another makes room for it',
    {
      deployment: aDeploymentWithout(),
      pods: [aPodWithout({ unschedulable: 'no' }), aPodWithout({ isTerminating: true })],
    },
    'False Updating: 1 of 1 pod replaced, 0 ready. Wait.',
  ],
  [
    'names the image that cannot be pulled',
    unready({ waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } }),
    'False ImagePullFailed: Pod vision-a: ImagePullBackOff: Back-off pulling image "x". Check image and pull secret.',
  ],
  [
    'counts the pods that have the same trouble',
    {
      deployment: aDeploymentWithout(3),
      pods: ['a', 'b', 'c'].map((name) =>
        aPodWithout({ name, waiting: { reason: 'ErrImagePull', message: 'not found' } }),
      ),
    },
    'False ImagePullFailed: Pod a (and 2 more): ErrImagePull: not found. Check image and pull secret.',
  ],
  [
    'shows the end of a container that crashes again and again',
    unready({
      waiting: { reason: 'CrashLoopBackOff', message: 'back-off' },
      restarts: 4,
      lastEnd: anEnd(),
    }),
    'False CrashLooping: Pod vision-a: ended 4 times with exit code 1: something broke. Read `kubectl logs -p` of the named pod.',
  ],
  [
    'sees a crash loop between two crashes, also without last words',
    unready({ restarts: 2, lastEnd: anEnd({ exitCode: 2, message: '' }) }),
    'False CrashLooping: Pod vision-a: ended 2 times with exit code 2. Read `kubectl logs -p` of the named pod.',
  ],
  [
    'sees a loop whose ends are unknown',
    unready({ restarts: 2 }),
    'False CrashLooping: Pod vision-a: ended 2 times. Read `kubectl logs -p` of the named pod.',
  ],
  [
    'says once of one end',
    unready({ waiting: { reason: 'CrashLoopBackOff', message: '' }, restarts: 1 }),
    'False CrashLooping: Pod vision-a: ended once. Read `kubectl logs -p` of the named pod.',
  ],
  ...['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'].map(
    (reason): ConditionRow => [
      `does not call ${reason} starting`,
      unready({ waiting: { reason, message: 'secret "proxy" not found' } }),
      `False ContainerCreateFailed: Pod vision-a: ${reason}: secret "proxy" not found. ${REASONS.ContainerCreateFailed.action}`,
    ],
  ),
  [
    'does not send people to the log of a container that never ran',
    unready({
      waiting: { reason: 'CrashLoopBackOff', message: 'back-off' },
      restarts: 4,
      lastEnd: anEnd({ reason: 'StartError', exitCode: 128, message: 'exec: "x": not found' }),
    }),
    `False ContainerCreateFailed: Pod vision-a: container server does not start: StartError: exec: "x": not found. ${REASONS.ContainerCreateFailed.action}`,
  ],
  [
    'takes a name that is none for a missing image',
    unready({ waiting: { reason: 'InvalidImageName', message: 'couldn\'t parse "A B"' } }),
    'False ImagePullFailed: Pod vision-a: InvalidImageName: couldn\'t parse "A B". Check image and pull secret.',
  ],
  [
    'tells a killed container from a crash',
    unready({
      waiting: { reason: 'CrashLoopBackOff', message: '' },
      restarts: 3,
      lastEnd: anEnd({ reason: 'OOMKilled', exitCode: 137 }),
    }),
    'False OutOfMemory: Pod vision-a: container server was killed for memory. Raise the memory limit or lower maxBatchSize.',
  ],
  [
    'says what the server says, before how it ended',
    unready({
      restarts: 3,
      lastEnd: anEnd(),
      server: aLoadingServer({
        code: 'BackboneFetchFailed',
        message: 'https://a.example/m answered 404.',
      }),
    }),
    'False BackboneFetchFailed: Pod vision-a: https://a.example/m answered 404. Check URI, credentials and CA.',
  ],
  [
    'counts the attempts of the server',
    unready({
      server: aLoadingServer({ code: 'BackboneDigestMismatch', message: 'it is sha256:b' }, 3),
    }),
    'False BackboneDigestMismatch: Pod vision-a: it is sha256:b (attempt 3). Correct the digest or the file.',
  ],
  ...(['BackboneLoadFailed', 'EngineUnavailable'] as const).map((code): ConditionRow => [
    `tells ${code}`,
    unready({ server: aLoadingServer({ code, message: 'so it is.' }) }),
    `False ${code}: Pod vision-a: so it is. ${REASONS[code].action}`,
  ]),
  [
    'does not blame a server that is at its first attempt, or already loaded',
    {
      deployment: aDeploymentWithout(2),
      pods: [
        aPodWithout({ server: aLoadingServer(null, 0) }),
        aPodWithout({ server: aServer() }),
        aPodWithout({ server: aServer({ state: null }) }),
      ],
    },
    'False Starting: 0 of 2 pods ready. Wait.',
  ],
  [
    'does not look at pods that are leaving',
    {
      deployment: aDeploymentWithout(),
      pods: [
        aPodWithout({
          isTerminating: true,
          restarts: 5,
          waiting: { reason: 'CrashLoopBackOff', message: '' },
        }),
      ],
    },
    'False Updating: 1 of 1 pod replaced, 0 ready. Wait.',
  ],
  [
    'says why pods cannot be created',
    {
      deployment: aDeploymentWithout(1, {
        replicaFailure: 'pods "vision-1" is forbidden: exceeded quota: gpus',
      }),
      pods: [],
    },
    'False Forbidden: Pods cannot be created: pods "vision-1" is forbidden: exceeded quota: gpus. Grant the named verb or raise the quota.',
  ],
  [
    'is for Valid to explain while there is no Deployment since the spec is refused',
    { deployment: null, templateProblems: [{ path: '.spec.template.x', message: 'y' }] },
    'False Starting: The Deployment is made once condition Valid is True: see its message.',
  ],
  [
    'says what waits when a roll is late',
    {
      ...unready({ waiting: { reason: 'SidecarNotStarted', message: 'proxy is not up' } }),
      deployment: aDeploymentWithout(1, { deadlineExceeded: 'has timed out progressing' }),
    },
    'False ProgressDeadlineExceeded: Pod vision-a: SidecarNotStarted: proxy is not up. See status.lastFailure and `kubectl describe pod` of the pods that are not ready.',
  ],
  [
    'says what the Deployment says of a late roll when nothing else is known',
    {
      deployment: aDeploymentWithout(1, {
        deadlineExceeded: 'ReplicaSet "v" has timed out progressing.',
      }),
      pods: [],
    },
    'False ProgressDeadlineExceeded: ReplicaSet "v" has timed out progressing. See status.lastFailure and `kubectl describe pod` of the pods that are not ready.',
  ],
  [
    'says what a starting pod waits for',
    unready({ waiting: { reason: 'SidecarNotStarted', message: '' } }),
    'False Starting: 0 of 1 pod ready. Pod vision-a: SidecarNotStarted. Wait.',
  ],
  [
    'is Unknown while old pods serve and new ones come',
    { deployment: aDeployment({ replicas: 2, updatedReplicas: 1 }) },
    'Unknown Updating: 1 of 1 pod replaced, 1 ready. Wait.',
  ],
  [
    'is Unknown until the Deployment controller has seen the last change',
    { deployment: aDeployment({ isObserved: false }) },
    'Unknown Starting: 1 of 1 pod ready. Wait.',
  ],
  [
    'is Unknown while old pods serve and a new one has trouble',
    {
      deployment: aDeployment({ replicas: 2, updatedReplicas: 1 }),
      pods: [aPod(), aPodWithout({ name: 'new', restarts: 2 })],
    },
    'Unknown CrashLooping: Pod new: ended 2 times. Read `kubectl logs -p` of the named pod.',
  ],
  [
    'goes on updating until the new pods are ready',
    {
      deployment: aDeploymentWithout(),
      pods: [],
      previous: { conditions: [aCondition('Available', { reason: 'Updating' })] },
    },
    'False Updating: 1 of 1 pod replaced, 0 ready. Wait.',
  ],
]);
