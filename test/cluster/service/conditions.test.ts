// Conditions and reasons of a service (api.md 5), each provoked by its cause under the operator as it ships, on a real node.
// What rollouts and trainings say is elsewhere. `npm run build` comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorRules } from '../../../operator/plan/rbac.ts';
import { eventually } from '../../support/eventually.ts';
import { NODE_WAIT_MS } from '../../support/node-wait.ts';
import { ambiguousNet } from '../../support/onnx-models/networks.ts';
import { sharedRealNode } from '../../support/real-node.ts';
import { aRevisionManifest } from '../../unit/crds/verdicts/objects.ts';
import type { TestNamespace } from '../harness/test-namespace.ts';
import { EXAMPLE_URI, infer, inferBodyOf } from '../pods/example-model.ts';
import { installOperator, type Installation } from '../pods/installation.ts';
import {
  createObject,
  deleteObject,
  isReady,
  patchObject,
  readObject,
} from '../pods/node-objects.ts';
import { EXAMPLE, MODEL, runService, type RunningService } from '../pods/running-service.ts';

const node = await sharedRealNode();

const NOWHERE = { nodeSelector: { zone: 'nowhere' } };
const container = (fields: object): object => ({
  podTemplate: { spec: { containers: [{ name: 'server', ...fields }] } },
});
const limits = (given: object): object => ({
  pod: { resources: { limits: { memory: '1Gi', ...given }, requests: { cpu: '20m' } } },
});
const server = (given: object): object => ({ server: { ...EXAMPLE.server, ...given } });

/** A model of the user as a file in a ConfigMap. */
const mounted = (configMap: string): object => ({
  backbone: { uri: 'file:///models/own/model.onnx' },
  podTemplate: {
    spec: {
      containers: [{ name: 'server', volumeMounts: [{ name: 'own', mountPath: '/models/own' }] }],
      volumes: [{ name: 'own', configMap: { name: configMap } }],
    },
  },
});

/** Input, name of the service, what its spec says beside the example, reason of Available and Ready, and the message. */
const UNAVAILABLE: readonly [string, string, object, string, RegExp][] = [
  [
    'more accelerators than there are',
    'no-gpu',
    limits({ 'nvidia.com/gpu': 3 }),
    'InsufficientAccelerators',
    /no node has a free nvidia\.com\/gpu: 0\/1 nodes .*Free the named resource or lower replicas\.$/,
  ],
  [
    'unknown resource name',
    'no-such',
    limits({ 'vendor.example/absent': 1 }),
    'InsufficientAccelerators',
    /no node has a free vendor\.example\/absent: 0\/1 nodes .*Free the named resource or lower replicas\.$/,
  ],
  [
    'constraint that no node meets',
    'no-node',
    { pod: NOWHERE },
    'Unschedulable',
    /node affinity\/selector.*Relax the constraint in the message or add nodes\.$/,
  ],
  [
    'image name that is none',
    'no-name',
    server({ image: 'NOT A NAME' }),
    'ImagePullFailed',
    /InvalidImageName.*Check image and pull secret\.$/,
  ],
  [
    'missing Secret of an environment variable',
    'no-secret',
    container({
      env: [{ name: 'PROXY', valueFrom: { secretKeyRef: { name: 'absent', key: 'url' } } }],
    }),
    'ContainerCreateFailed',
    /CreateContainerConfigError: secret "absent" not found.*Correct what the message names/,
  ],
  [
    'missing seccomp profile',
    'no-profile',
    container({
      securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'absent.json' } },
    }),
    'ContainerCreateFailed',
    /CreateContainerError:.*absent\.json/,
  ],
  [
    'missing command',
    'no-command',
    container({ command: ['/absent'] }),
    'ContainerCreateFailed',
    /(StartError|RunContainerError):.*\/absent/s,
  ],
  [
    'image that does not exist',
    'no-image',
    server({ image: 'localhost/absent:1' }),
    'ImagePullFailed',
    /localhost\/absent:1.*Check image and pull secret\.$/s,
  ],
  [
    'environment that the server refuses',
    'crashes',
    container({ env: [{ name: 'LAYERCACHE_DATA_PORT', value: 'none' }] }),
    'CrashLooping',
    /exit code 2.*LAYERCACHE_DATA_PORT/s,
  ],
  [
    'too little memory',
    'hungry',
    limits({ memory: '48Mi' }),
    'OutOfMemory',
    /container server was killed for memory\. Raise the memory limit or lower maxBatchSize\.$/,
  ],
  [
    'missing Secret',
    'no-login',
    {
      backbone: {
        uri: 'https://absent.models.svc.cluster.local/m.onnx',
        credentialsSecretName: 'absent',
      },
    },
    'BackboneFetchFailed',
    /: The Secret of backbone\.credentialsSecretName does not exist, or .*; create it with one of them.* Check URI, credentials and CA\.$/,
  ],
  [
    'bad URI',
    'bad-uri',
    { backbone: { uri: 'file:///models/absent.onnx' } },
    'BackboneFetchFailed',
    /\/models\/absent\.onnx.* Check URI, credentials and CA\.$/,
  ],
  [
    'bad URI, of a host that is not there',
    'bad-host',
    { backbone: { uri: 'https://absent.models.svc.cluster.local/m.onnx' } },
    'BackboneFetchFailed',
    /https:\/\/absent\.models\.svc\.cluster\.local\/m\.onnx cannot be fetched: .* Check URI, credentials and CA\.$/,
  ],
  [
    'wrong digest',
    'bad-digest',
    { backbone: { uri: EXAMPLE_URI, digest: `sha256:${'0'.repeat(64)}` } },
    'BackboneDigestMismatch',
    /sha256:0{64}.* Correct the digest or the file\.$/,
  ],
  [
    'wrong format',
    'bad-format',
    { backbone: { uri: EXAMPLE_URI, format: 'TFJSGraphModel' } },
    'BackboneLoadFailed',
    /TFJSGraphModel.* Check the format; the message names the operator or field\.$/,
  ],
  [
    'engine that the image lacks',
    'no-engine',
    server({ engine: 'TFJSCPU' }),
    'EngineUnavailable',
    /TFJSCPU.* Use an image or driver that has it, or engine Auto\.$/,
  ],
  ['no replicas', 'zero', { replicas: 0 }, 'ScaledToZero', /0 replicas, as asked for\.$/],
  [
    'suspend',
    'suspended',
    { suspend: true },
    'Suspended',
    /spec\.suspend is true: there are no pods\.$/,
  ],
];

const ON_ANOTHER_PORT = container({ env: [{ name: 'LAYERCACHE_ADMIN_PORT', value: '18081' }] });
const ONE_AT_A_TIME = { maxSurge: 0, maxUnavailable: 1 };
const WITH_ABSENT_SECRET = {
  podTemplate: {
    spec: {
      containers: [{ name: 'server', volumeMounts: [{ name: 'own', mountPath: '/own' }] }],
      volumes: [{ name: 'own', secret: { secretName: 'absent' } }],
    },
  },
};
const WITH_ABSENT_COMPANION = {
  exits: [{ name: 'tiny', model: { uri: 'file:///models/none/small.onnx' } }],
};

/** The same for Valid and Ready. */
const INVALID: readonly [string, string, object, string, RegExp][] = [
  [
    'name of a child that is taken',
    'taken',
    { replicas: 0 },
    'NameConflict',
    /^Service taken has no owner\. Remove the named foreign object or rename the service\.$/,
  ],
  [
    'podTemplate typo',
    'typo',
    container({ imagePulPolicy: 'Always' }),
    'PodTemplateRejected',
    /^Deployment typo: \.spec\.template\.spec\.containers\[name="server"\]\.imagePulPolicy: field not declared in schema\. Fix the field of pod or podTemplate that the message quotes\.$/,
  ],
  [
    'bad quantity',
    'quantity',
    limits({ memory: '1Gx' }),
    'PodTemplateRejected',
    /^\.spec\.template\.spec\.containers\[name="server"\]\.resources\.limits\["memory"\]: "1Gx" is not a quantity: write for example 500m, 2 or 4Gi\. Fix/,
  ],
  [
    'GPU request unlike limit',
    'unlike',
    { pod: { resources: { limits: { 'nvidia.com/gpu': 1 }, requests: { 'nvidia.com/gpu': 2 } } } },
    'PodTemplateRejected',
    /^Deployment unlike: spec\.template\.spec\.containers\[0\]\.resources\.requests: Invalid value: "2": must be equal to nvidia\.com\/gpu limit of 1\. Fix/,
  ],
  [
    'missing ConfigMap',
    'no-map',
    server({ warmup: { iterations: 1, inputsConfigMapName: 'absent' } }),
    'ConfigMapNotFound',
    /^There is no ConfigMap absent \(spec\.server\.warmup\.inputsConfigMapName\); pods stay as they are\. Create it; it is seen within 30 s\.$/,
  ],
];

describe.skipIf(node.unavailable !== null)('a service says', () => {
  const spaces: TestNamespace[] = [];
  const services = new Map<string, RunningService>();
  let installation: Installation;
  let quota: RunningService;
  let forbidden: RunningService;

  beforeAll(async () => {
    const [main, poor, closed] = await Promise.all([1, 2, 3].map(() => node.namespace()));
    spaces.push(main!, poor!, closed!);
    const namespace = main!.name;
    const rules = operatorRules('demo').services;
    const withoutDeployments = rules.map((rule) =>
      rule.resources.includes('deployments') ? { ...rule, verbs: ['list', 'watch'] } : rule,
    );
    installation = await installOperator(node, {
      namespace,
      services: { [poor!.name]: rules, [closed!.name]: withoutDeployments },
      // Dozens of services begin at once here.
      environment: { LAYERCACHE_API_RATE: '100', LAYERCACHE_API_BURST: '100' },
    });
    await createObject(node, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'taken', namespace },
      spec: { ports: [{ port: 80 }] },
    });
    await createObject(node, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ambiguous', namespace },
      binaryData: { 'model.onnx': Buffer.from(ambiguousNet().bytes).toString('base64') },
    });
    await createObject(node, {
      ...aRevisionManifest({ serviceName: 'vision' }),
      metadata: { name: 'foreign', namespace },
    });
    await node.kubectl(['create', 'quota', 'none', '-n', poor!.name, '--hard=pods=0']);
    for (const [, name, spec] of [...INVALID, ...UNAVAILABLE])
      services.set(name, await run(name, spec));
    const place = { node, installation, name: 'vision' };
    quota = await runService({ ...place, namespace: poor!.name });
    forbidden = await runService({ ...place, namespace: closed!.name });
    services.set('hpa', await run('hpa', { pod: NOWHERE, autoscaling: { maxReplicas: 2 } }));
    services.set('vision', await run('vision'));
    services.set('mute', await run('mute', ON_ANOTHER_PORT));
    services.set('small', await run('small', WITH_ABSENT_COMPANION));
    services.set('rolled', await run('rolled', { replicas: 3, updateStrategy: ONE_AT_A_TIME }));
    services.set('no-mount', await run('no-mount', WITH_ABSENT_SECRET));
    services.set('two-outputs', await run('two-outputs', mounted('ambiguous')));
  });
  afterAll(async () => {
    await Promise.all(spaces.map((space) => space.delete()));
  });

  const run = (name: string, spec: object = {}): Promise<RunningService> =>
    runService({ node, installation, name }, spec);

  test.each(INVALID)('%s: Valid and Ready are False', async (...row) => {
    const [, name, , reason, message] = row;
    const service = services.get(name)!;
    expect((await service.says('Valid', 'False', reason)).message).toMatch(message);
    await service.says('Ready', 'False', reason);
    await service.says('Stalled', 'True', reason);
  });

  test.each(UNAVAILABLE)('%s: Available and Ready are False', async (...row) => {
    const [, name, , reason, message] = row;
    const service = services.get(name)!;
    expect((await service.says('Available', 'False', reason)).message).toMatch(message);
    await service.says('Ready', 'False', reason);
    await service.says('Valid', 'True', 'Accepted');
  });

  test('missing Secret of a volume: which pod does not begin, and where its name stands', async () => {
    const service = services.get('no-mount')!;
    await eventually(async () => {
      const { message } = await service.says('Available', 'False', 'Starting');
      const [pod] = await service.pods();
      expect(message).toContain(
        `Pod ${pod!.metadata.name}: ContainerCreating: its volumes or its network are not ready`,
      );
    }, NODE_WAIT_MS);
  });

  test('bad pod: the roll stops at maxUnavailable, and the old good spec recovers without hands, also from Pending pods', async () => {
    const service = services.get('rolled')!;
    await service.says('Ready', 'True', 'Serving');
    const old = new Set((await service.readyPods(3)).map(({ metadata }) => metadata.uid));
    for (const [spec, reason, word] of [
      [{ server: { image: 'localhost/absent:1' } }, 'ImagePullFailed', 'localhost/absent:1'],
      [{ server: { image: null }, pod: NOWHERE }, 'Unschedulable', 'node affinity/selector'],
    ] as const) {
      await service.patch(spec);
      const { message } = await service.says('Available', 'Unknown', reason);
      expect(message).toContain(word);
      await service.says('Ready', 'Unknown', reason);
      // As far as the Deployment controller goes, and no further.
      const { namespace, name } = service;
      const { status } = await readObject<{ status: object }>(node, {
        ...{ kind: 'Deployment', namespace, name },
      });
      expect(status).toMatchObject({ updatedReplicas: 1, availableReplicas: 2 });
      const left = (await service.pods()).filter(isReady);
      expect(left.map(({ metadata }) => old.has(metadata.uid))).toEqual([true, true]);
    }
    await service.patch({ pod: null });
    await service.says('Ready', 'True', 'Serving');
    const after = await service.readyPods(3);
    expect(after.filter(({ metadata }) => old.has(metadata.uid))).toHaveLength(2);
    await service.remove();
  }, 600_000);

  test('that another installation of the operator writes for it, by an event', async () => {
    const { namespace } = services.get('zero')!;
    const ref = { kind: 'ConfigMap', namespace, name: 'zero-policy' } as const;
    await patchObject(node, ref, {
      metadata: { annotations: { 'layercache.io/installation': 'elsewhere/other' } },
    });
    await eventually(async () => {
      const { stdout } = await node.kubectl(['describe', 'cms', 'zero', '-n', namespace]);
      expect(stdout).toMatch(/Warning\s+ForeignOperator.*elsewhere\/other/);
    }, NODE_WAIT_MS);
  });

  test('the quota that keeps pods out, as Forbidden', async () => {
    const { message } = await quota.says('Available', 'False', 'Forbidden');
    expect(message).toMatch(/exceeded quota: none/);
  });

  test('the verb that the operator lacks, as Forbidden', async () => {
    const { message } = await forbidden.says('Available', 'False', 'Forbidden');
    expect(message).toMatch(/may not (create|patch|apply) deployments/);
    await forbidden.says('Ready', 'False', 'Forbidden');
  });

  test('two outputs: the backbone serves both, and exits wait for the name of one', async () => {
    const service = services.get('two-outputs')!;
    await service.says('Ready', 'True', 'Serving');
    const { message } = await service.says('ExitsActive', 'False', 'OutputAmbiguous');
    expect(message).toMatch(/\(digits, letters\).* name one in spec\.backbone\.outputName or /);
    await service.says('PolicyApplied', 'True', 'AllReplicas');
    const { status } = await service.read();
    expect(status).toMatchObject({ exits: [], backbone: { loadedReplicas: 1 } });
    const endpoint = await service.endpoint();
    const body = await inferBodyOf(node, endpoint, MODEL);
    const answer = await infer(node, endpoint, { model: MODEL, body });
    expect(JSON.parse(answer.body)).toMatchObject({
      parameters: { layercache_exit: 'backbone' },
      outputs: [{ name: 'digits' }, { name: 'letters' }],
    });
    await service.patch({ backbone: { outputName: 'letters' } });
    await service.says('ExitsActive', 'False', 'CollectingSamples');
    expect((await service.read()).status).toMatchObject({
      exits: [{ name: 'stem', tensor: 'stem' }],
      backbone: { classCount: 10 },
    });
  });

  test('which pod never answered on its admin port, before there is a policy', async () => {
    const mute = services.get('mute')!;
    const { message } = await mute.says('PolicyApplied', 'False', 'ReplicaUnreachable');
    const [pod] = await mute.readyPods(1);
    expect(message).toContain(`Pod ${pod!.metadata.name} has never answered on its admin port`);
    expect(message).toMatch(/Check the network to port 8081\.$/);
    expect((await mute.read()).status.policy).toBeUndefined();
    await mute.says('Ready', 'True', 'Serving');
  });

  test('that its companion does not run, and serves the backbone', async () => {
    const small = services.get('small')!;
    const { message } = await small.says('ExitsActive', 'False', 'CompanionLoadFailed');
    expect(message).toBe(
      'Exit tiny: /models/none/small.onnx does not exist; correct exits[tiny].model.uri.',
    );
    await small.says('Ready', 'True', 'Serving');
    const { status } = await small.read();
    expect(status.exits).toEqual([{ name: 'tiny', reason: 'CompanionLoadFailed' }]);
  });

  test('that an autoscaler gets no metrics', async () => {
    await services.get('hpa')!.says('AutoscalingActive', 'False', 'MetricsUnavailable');
  });

  test('that there is no pod to acknowledge a policy', async () => {
    await services.get('suspended')!.says('PolicyApplied', 'True', 'NoReplicas');
  });

  test('what its last failure was, and tells it by an event', async () => {
    const { status } = await services.get('crashes')!.read();
    expect(status.lastFailure).toMatchObject({ component: 'server' });
    await eventually(async () => {
      const { stdout } = await node.kubectl([
        ...['describe', 'cms', 'crashes', '-n', installation.namespace],
      ]);
      expect(stdout).toMatch(/Warning\s+CrashLooping/);
    }, NODE_WAIT_MS);
  });

  test('that all is well again once the cause is gone', async () => {
    const of = (name: string): RunningService => services.get(name)!;
    const [uri, taken, map, pending] = [of('bad-uri'), of('taken'), of('no-map'), of('no-node')];
    await pending.patch({ pod: null });
    const { namespace } = installation;
    await uri.patch({ backbone: { uri: EXAMPLE_URI } });
    await deleteObject(node, { kind: 'Service', namespace, name: 'taken' });
    await createObject(node, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'absent', namespace },
    });
    await taken.says('Valid', 'True', 'Accepted');
    await map.says('Valid', 'True', 'Accepted');
    await uri.says('Ready', 'True', 'Serving');
    await pending.says('Ready', 'True', 'Serving');
  });

  describe('of a running service', () => {
    test('serves, with every pod under the policy, nothing certified and nothing rolling', async () => {
      const vision = services.get('vision')!;
      await vision.says('Ready', 'True', 'Serving');
      await vision.says('Available', 'True', 'MinimumReplicasAvailable');
      await vision.says('PolicyApplied', 'True', 'AllReplicas');
      await vision.says('WithinBudget', 'Unknown', 'NoCertificate');
      await vision.says('RolloutSucceeded', 'True', 'NoRollout');
      const { status } = await vision.read();
      expect(status.conditions!.map(({ type }) => type)).not.toContain('Stalled');
      expect(status.backbone).toMatchObject({ format: 'ONNX', loadedReplicas: 1, classCount: 10 });
    });

    const exits: readonly [string, object, string, RegExp][] = [
      ['samples are collected', {}, 'CollectingSamples', /rows/],
      ['exits are switched off', { exitMode: 'Disabled' }, 'Disabled', /spec\.exitMode/],
      ['there are no exits', { exits: [], exitMode: 'Active' }, 'NoExits', /spec\.exits/],
      [
        'tensor is no cut',
        { exits: [{ name: 'early', tensor: 'nowhere' }] },
        'TensorNotFound',
        /^exit early: nowhere is no cut of the backbone.*Use a name that `layercache inspect MODEL` lists\.$/,
      ],
      [
        'nothing is trained',
        { exits: null, heads: { training: { mode: 'Off' } } },
        'NoHeads',
        /heads\.training\.mode is Off/,
      ],
      [
        'wrong pin, of heads that do not exist',
        { heads: { revision: 'absent' } },
        'HeadsNotFound',
        /^heads\.revision names absent, and there is no such CacheHeadRevision\. Pin another revision or remove the pin\.$/,
      ],
      [
        'wrong pin, of heads for another backbone',
        { heads: { revision: 'foreign' } },
        'HeadsIncompatible',
        /foreign is for backbone sha256:0{64}, loaded is sha256:.*Pin another revision/,
      ],
      [
        'heads are only recommended',
        { heads: null, tuning: { mode: 'Recommend' } },
        'RecommendOnly',
        /tuning\.mode is Recommend/,
      ],
    ];
    test.each(exits)(
      '%s: ExitsActive is False, the backbone serves and no pod is touched',
      async (...row) => {
        const [, spec, reason, message] = row;
        const vision = services.get('vision')!;
        const before = await vision.readyPods(1);
        await vision.patch(spec);
        expect((await vision.says('ExitsActive', 'False', reason)).message).toMatch(message);
        await vision.says('Ready', 'True', 'Serving');
        const after = await vision.readyPods(1);
        expect(after[0]!.metadata.uid).toBe(before[0]!.metadata.uid);
      },
    );

    test('which pod refused the policy', async () => {
      const vision = services.get('vision')!;
      await vision.patch(container({ env: [{ name: 'LAYERCACHE_MODEL_NAME', value: 'other' }] }));
      const { message } = await vision.says('PolicyApplied', 'False', 'PolicyRejected');
      const [pod] = await vision.readyPods(1);
      expect(message).toContain(`Pod ${pod!.metadata.name} refused a policy (ModelMismatch)`);
      expect(message).toMatch(/Compare image and environment of the named pod/);
      await vision.says('Ready', 'True', 'Serving');
    });

    test('which pod does not answer on its admin port', async () => {
      const vision = services.get('vision')!;
      const [before] = await vision.readyPods(1);
      await vision.patch(ON_ANOTHER_PORT);
      const { message } = await vision.says('PolicyApplied', 'False', 'ReplicaUnreachable');
      const [pod] = await vision.readyPods(1);
      expect(pod!.metadata.uid).not.toBe(before!.metadata.uid);
      expect(message).toContain(pod!.metadata.name);
      await vision.says('Ready', 'True', 'Serving');
    });
  });
});
