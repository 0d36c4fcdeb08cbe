// Conditions whose causes need no pod that really runs: specs stored past the rules, rolls that are late, another installation,
// and what the columns have room for. It changes the definitions, so it has a control plane of its own, without a scheduler.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Condition } from '../../../crds/v1alpha1/conditions.ts';
import { REASON_GROUPS } from '../../../crds/v1alpha1/reasons.ts';
import { createControllers } from '../../../operator/controllers/create-controllers.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { loadAccess, type ClusterAccess } from '../../../operator/kube/cluster-access.ts';
import { systemKubeClock, type KubeClock } from '../../../operator/kube/clock.ts';
import { createEventRecorder } from '../../../operator/kube/events.ts';
import { KINDS, pathOf } from '../../../operator/kube/kinds.ts';
import type { Installation } from '../../../operator/plan/defaults.ts';
import { NO_LOG, NO_METRICS } from '../../faults/sim/world.ts';
import { ROOT_KEY } from '../../support/admin-keys.ts';
import {
  startControlPlane,
  whyUnavailable,
  type OwnControlPlane,
} from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { FAKE_DIGEST } from '../../support/fake-engine.ts';
import { SILENT } from '../../support/fake-pod.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { digestOf } from '../../support/test-server.ts';
import { DIGEST_A } from '../../unit/crds/documents.ts';
import { aRevisionManifest } from '../../unit/crds/verdicts/objects.ts';
import {
  aBundleConfigMap,
  bundleOf,
  specOf,
} from '../../unit/operator/controllers/cache-head-revision/revisions.ts';
import { DEFAULTS, INSTALLATION } from '../../unit/operator/plan/builders.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';
import { applyDefinition, committedDefinitions, withoutRules } from '../api/definitions.ts';
import { createFakedKubelet, type FakedKubelet } from '../controllers/faked-kubelet.ts';
import {
  createObject,
  deleteObject,
  patchObject,
  podsOf,
  readObject,
} from '../pods/node-objects.ts';
import type { ServiceObject } from '../pods/running-service.ts';
import { startMetricsAdapter } from './metrics-adapter.ts';

const unavailable = await whyUnavailable('control-plane');

interface Deployment {
  readonly metadata: { readonly uid: string; readonly generation: number };
  readonly status: {
    readonly updatedReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** Input, what is merged into the spec, reason of Valid, and the message. */
const STRUCTURE_ERRORS: readonly [string, object, string, string][] = [
  [
    'podTemplate typo',
    { podTemplate: { spec: { containers: [{ name: 'server', imagePulPolicy: 'Always' }] } } },
    'PodTemplateRejected',
    'Deployment steady: .spec.template.spec.containers[name="server"].imagePulPolicy: field not declared in schema. Fix the field of pod or podTemplate that the message quotes.',
  ],
  [
    'bad quantity',
    { pod: { resources: { limits: { memory: '1Gx' } } } },
    'PodTemplateRejected',
    '.spec.template.spec.containers[name="server"].resources.limits["memory"]: "1Gx" is not a quantity: write for example 500m, 2 or 4Gi. Fix the field of pod or podTemplate that the message quotes.',
  ],
  [
    'bad quantity, which only the API server knows for one',
    { podTemplate: { spec: { volumes: [{ name: 'x', emptyDir: { sizeLimit: '1Gx' } }] } } },
    'PodTemplateRejected',
    "Deployment steady: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'. Fix the field of pod or podTemplate that the message quotes.",
  ],
  [
    'GPU request unlike limit',
    { pod: { resources: { limits: { 'a.b/gpu': 1 }, requests: { 'a.b/gpu': 2 } } } },
    'PodTemplateRejected',
    'Deployment steady: spec.template.spec.containers[0].resources.requests: Invalid value: "2": must be equal to a.b/gpu limit of 1. Fix the field of pod or podTemplate that the message quotes.',
  ],
  [
    'missing ConfigMap',
    { server: { warmup: { inputsConfigMapName: 'absent' } } },
    'ConfigMapNotFound',
    'There is no ConfigMap absent (spec.server.warmup.inputsConfigMapName); pods stay as they are. Create it; it is seen within 30 s.',
  ],
];

/** Input, what is merged into the spec, reason of ExitsActive, and the message. */
const HEAD_ERRORS: readonly [string, object, string, string][] = [
  [
    'tensor is no cut',
    { exits: [{ name: 'early', tensor: 'block2/oot' }] },
    'TensorNotFound',
    'exit early: block2/oot is no cut of the backbone; did you mean block2/out? Use a name that `layercache inspect MODEL` lists.',
  ],
  [
    'tensor is no cut, for a reason',
    { exits: [{ name: 'early', tensor: 'flatten' }] },
    'TensorNotFound',
    'exit early: flatten is no cut (its batch axis is not first). Use a name that `layercache inspect MODEL` lists.',
  ],
  [
    'wrong pin, of heads that do not exist',
    { heads: { revision: 'absent' } },
    'HeadsNotFound',
    'heads.revision names absent, and there is no such CacheHeadRevision. Pin another revision or remove the pin.',
  ],
  [
    'wrong pin, of heads for another backbone',
    { heads: { revision: 'elsewhere' } },
    'HeadsIncompatible',
    `heads.revision elsewhere is for backbone ${FAKE_DIGEST}, loaded is ${DIGEST_A}. Pin another revision or remove heads.revision.`,
  ],
];

const TRAINED_ELSEWHERE = bundleOf(1);
const NO_BUNDLE = Buffer.from('no bundle');

/** Input, what the revision says of its bundle, the bundle in the store, reason of Available, and the message. */
const BUNDLES: readonly [string, object, Uint8Array, string, string][] = [
  [
    'corrupt bundle',
    bundleOfSpec(NO_BUNDLE),
    NO_BUNDLE,
    'Malformed',
    'The bundle cannot be read: head bundle refused: it has 9 bytes, too few for a header; the heads in force stay, make the bundle again with a current trainer.',
  ],
  [
    'corrupt bundle, of another digest',
    bundleOfSpec(bundleOf(2)),
    bundleOf(3),
    'DigestMismatch',
    `spec.bundle.digest is not that of the stored file: the bundle has ${digestOf(bundleOf(3))}, not ${digestOf(bundleOf(2))}: it is not used. Restore the right file.`,
  ],
  [
    'foreign bundle',
    bundleOfSpec(TRAINED_ELSEWHERE),
    TRAINED_ELSEWHERE,
    'Malformed',
    `spec.backboneDigest is ${DIGEST_A}, the bundle was trained on ${FAKE_DIGEST}. Create another revision that says what its bundle holds.`,
  ],
];

function bundleOfSpec(bytes: Uint8Array): object {
  return { digest: digestOf(bytes), sizeBytes: bytes.length };
}

/** As a merge patch takes them back. */
function without(spec: object): object {
  return Object.fromEntries(Object.keys(spec).map((field) => [field, null]));
}

describe.skipIf(unavailable !== null)('a service', () => {
  let plane: OwnControlPlane;
  let access: ClusterAccess;
  let kubelet: FakedKubelet;
  let playing: Promise<void>;
  /** With pods that get ready at once, and without. */
  let served: string;
  let pending: string;
  const ended = new AbortController();
  const client = () => createClient({ access, clock: systemKubeClock, budget: null });

  beforeAll(async () => {
    plane = await startControlPlane({ parts: ['etcd', 'apiserver', 'controller-manager'] });
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }
    [served, pending] = (await Promise.all([plane.namespace(), plane.namespace()])).map(
      ({ name }) => name,
    ) as [string, string];
    access = loadAccess({ from: 'File', path: plane.kubeconfigPath });
    kubelet = createFakedKubelet(client(), served);
    playing = kubelet.run(ended.signal);
  }, 60_000);
  afterAll(async () => {
    ended.abort();
    await playing;
    access.close();
    await plane.stop();
  });

  /** Its wall clock is this far ahead. */
  let aheadMs = 0;
  const clock: KubeClock = { ...systemKubeClock, nowMs: () => systemKubeClock.nowMs() + aheadMs };

  /** An operator process; ends with the test at the latest. */
  function startOperator(installation: Installation = INSTALLATION): () => Promise<void> {
    aheadMs = 0;
    const own = new AbortController();
    const { signal } = own;
    const generator = seededRandom(1);
    const random = (): number => generator.uniform();
    const api = client();
    const writer = `${installation.namespace}-${Math.round(systemKubeClock.monotonicMs())}`;
    const events = createEventRecorder({
      ...{ api, clock, random, signal, instance: writer },
      controller: 'layercache.io/operator',
    });
    const running = createControllers({
      ...{ api, readingApi: api, clock, random, signal, events, installation },
      ...{ defaults: DEFAULTS, rootKey: ROOT_KEY, connections: kubelet.connections, writer },
      ...{ metrics: NO_METRICS, log: NO_LOG, watchNamespaces: [served, pending] },
      ownsNamespace: () => true,
      leaseTransitions: () => 0,
    }).run();
    const stop = async (): Promise<void> => {
      own.abort();
      await running;
    };
    onTestFinished(stop);
    return stop;
  }

  const service = (namespace: string, name: string) =>
    ({ kind: 'CachedModelService', namespace, name }) as const;

  async function create(namespace: string, name: string, given: object = {}): Promise<void> {
    const { spec } = aManifest({ ...given }) as { spec: object };
    await createObject(plane, {
      apiVersion: 'layercache.io/v1alpha1',
      kind: 'CachedModelService',
      metadata: { name, namespace },
      spec,
    });
  }

  const conditionOf = async (namespace: string, name: string, type: string) => {
    const { status } = await readObject<ServiceObject>(plane, service(namespace, name));
    return status.conditions?.find((condition) => condition.type === type);
  };

  const says = (
    [namespace, name]: readonly [string, string],
    ...[type, status, reason]: readonly [string, Condition['status'], string]
  ): Promise<Condition> =>
    eventually(async () => {
      const found = await conditionOf(namespace, name, type);
      expect(found).toMatchObject({ type, status, reason });
      return found!;
    }, 45_000);

  const deploymentOf = (namespace: string, name: string): Promise<Deployment> =>
    eventually(
      () => readObject<Deployment>(plane, { kind: 'Deployment', namespace, name }),
      20_000,
    );

  test('stored past CEL is told by our own parser, and what runs goes on until it is mended', async () => {
    startOperator();
    await create(served, 'vision');
    const vision = [served, 'vision'] as const;
    await says(vision, 'Ready', 'True', 'Serving');
    const before = await deploymentOf(...vision);
    const [pod] = await podsOf(plane, ...vision);

    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, withoutRules(definition));
    }
    const broken = { replicas: 2, autoscaling: { maxReplicas: 3 } };
    await eventually(() => patchObject(plane, service(...vision), { spec: broken }), 20_000);
    for (const definition of committedDefinitions()) {
      await applyDefinition(plane.request, definition);
    }

    const { message } = await says(vision, 'Valid', 'False', 'InvalidSpec');
    expect(message).toContain('spec.replicas: with autoscaling the HPA owns the count');
    expect(message).toMatch(/what runs goes on: .*Fix the named field\.$/);
    await says(vision, 'Ready', 'False', 'InvalidSpec');
    await says(vision, 'Stalled', 'True', 'InvalidSpec');
    const after = await deploymentOf(...vision);
    expect(after.metadata).toMatchObject({ uid: before.metadata.uid });
    expect(after.metadata.generation).toBe(before.metadata.generation);
    expect((await podsOf(plane, ...vision)).map(({ metadata }) => metadata.uid)).toEqual([
      pod!.metadata.uid,
    ]);
    const scaler = { kind: 'HorizontalPodAutoscaler', namespace: served, name: 'vision' } as const;
    await expect(readObject(plane, scaler)).rejects.toThrow('404');

    await patchObject(plane, service(...vision), { spec: { replicas: 1, autoscaling: null } });
    await says(vision, 'Ready', 'True', 'Serving');
    expect(await conditionOf(...vision, 'Stalled')).toBeUndefined();
  }, 90_000);

  describe('gets for bad input, while what runs goes on', () => {
    const steady = (): readonly [string, string] => [served, 'steady'];
    /** Of what a bad spec must not change. */
    async function running(): Promise<unknown> {
      const { metadata } = await deploymentOf(...steady());
      const pods = await podsOf(plane, ...steady());
      return [metadata.uid, metadata.generation, pods.map((pod) => pod.metadata.uid)];
    }
    const edit = (spec: object): Promise<void> =>
      patchObject(plane, service(...steady()), { spec });

    test.each(STRUCTURE_ERRORS)('%s: the cause, and the old good spec recovers', async (...row) => {
      const [, spec, reason, message] = row;
      await startSteady();
      onTestFinished(() => edit(without(spec)));
      const before = await running();
      await edit(spec);
      expect((await says(steady(), 'Valid', 'False', reason)).message).toBe(message);
      await says(steady(), 'Ready', 'False', reason);
      await says(steady(), 'Stalled', 'True', reason);
      expect(await running()).toEqual(before);
      await edit(without(spec));
      await says(steady(), 'Ready', 'True', 'Serving');
      expect(await conditionOf(...steady(), 'Stalled')).toBeUndefined();
      expect(await running()).toEqual(before);
    });

    test.each(HEAD_ERRORS)('%s: the cause, and the backbone serves', async (...row) => {
      const [, spec, reason, message] = row;
      await startSteady();
      onTestFinished(() => edit(without(spec)));
      await revision('elsewhere', { ...bundleOfSpec(TRAINED_ELSEWHERE) }, FAKE_DIGEST);
      const before = await running();
      await edit(spec);
      expect((await says(steady(), 'ExitsActive', 'False', reason)).message).toBe(message);
      expect(await conditionOf(...steady(), 'Ready')).toMatchObject({ status: 'True' });
      expect(await running()).toEqual(before);
      await edit(without(spec));
      await says(steady(), 'ExitsActive', 'False', 'CollectingSamples');
    });

    test.each(BUNDLES)('%s: chr Available=False, and it is never served', async (...row) => {
      const [input, bundle, bytes, reason, message] = row;
      await startSteady();
      const name = input.replace(/\W+/g, '-');
      await createObject(plane, aBundleConfigMap({ name, namespace: served }, bytes));
      await revision(name, bundle, DIGEST_A);
      onTestFinished(() => edit({ heads: null }));
      await edit({ heads: { revision: name } });
      const ref = { kind: 'CacheHeadRevision', namespace: served, name } as const;
      await eventually(async () => {
        const { status } = await readObject<{ status?: ServiceObject['status'] }>(plane, ref);
        expect(status?.conditions).toContainEqual(
          expect.objectContaining({ type: 'Available', status: 'False', reason, message }),
        );
      }, 20_000);
      await eventually(async () => {
        const said = await conditionOf(...steady(), 'ExitsActive');
        expect(said).toMatchObject({ status: 'False', reason: 'HeadsIncompatible' });
        expect(said!.message).toBe(
          `heads.revision ${name} has no bundle that can be loaded (${reason}: ${message.slice(0, -1)}). Pin another revision or remove heads.revision.`,
        );
      }, 20_000);
      expect(await conditionOf(...steady(), 'Ready')).toMatchObject({ status: 'True' });
      const [pod] = await podsOf(plane, ...steady());
      expect(kubelet.pods.get(pod!.metadata.uid)!.heads).toEqual([]);
      const policy = { kind: 'ConfigMap', namespace: served, name: 'steady-policy' } as const;
      const { data } = await readObject<{ data: Record<string, string> }>(plane, policy);
      expect(JSON.parse(data['policy.json']!)).toMatchObject({ exitsEnabled: false });
      await edit({ heads: null });
      await says(steady(), 'ExitsActive', 'False', 'CollectingSamples');
    });

    const bundleSays = (name: string, status: string, reason: string): Promise<Condition> =>
      eventually(async () => {
        const ref = { kind: 'CacheHeadRevision', namespace: served, name } as const;
        const found = (await readObject<Partial<ServiceObject>>(plane, ref)).status?.conditions;
        const available = found?.find(({ type }) => type === 'Available');
        expect(available).toMatchObject({ status, reason });
        return available!;
      }, 20_000);

    test('bundle that no ConfigMap should hold: HeadTooLarge sends to another store', async () => {
      await startSteady();
      const bytes = Buffer.alloc(950_000, 1);
      await createObject(plane, aBundleConfigMap({ name: 'huge', namespace: served }, bytes));
      await revision('huge', { digest: digestOf(bytes), sizeBytes: 921_600 }, DIGEST_A);
      onTestFinished(() => edit({ heads: null }));
      await edit({ heads: { revision: 'huge' } });
      const cause =
        'The bundle has 950000 bytes and a ConfigMap may hold 921600: store it in s3 or oci and set spec.bundle.uri';
      expect((await bundleSays('huge', 'False', 'HeadTooLarge')).message).toBe(`${cause}.`);
      expect((await says(steady(), 'ExitsActive', 'False', 'HeadTooLarge')).message).toBe(
        `heads.revision huge has no bundle that can be loaded (HeadTooLarge: ${cause}). Use heads.store s3 or oci.`,
      );
      expect(await conditionOf(...steady(), 'Ready')).toMatchObject({ status: 'True' });
    });

    test('bundle that is deleted: BundleMissing says how to make it again, and that is seen', async () => {
      await startSteady();
      // A bundle that follows its revision is waited for.
      aheadMs = 60_000;
      const bytes = bundleOf(4);
      const blob = aBundleConfigMap({ name: 'gone', namespace: served }, bytes);
      const ref = { kind: 'ConfigMap', namespace: served, name: 'gone' } as const;
      await createObject(plane, blob);
      await createObject(plane, {
        ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CacheHeadRevision' },
        metadata: { name: 'gone', namespace: served },
        spec: { ...specOf(bytes, 'gone'), serviceName: 'steady' },
      });
      await bundleSays('gone', 'True', 'Verified');
      await deleteObject(plane, ref);
      expect((await bundleSays('gone', 'False', 'BundleMissing')).message).toBe(
        'There is no ConfigMap gone: create it with `kubectl create configmap gone --from-file=bundle=FILE`, or delete this revision.',
      );
      await eventually(async () => {
        const { stdout } = await plane.kubectl(['describe', 'chr', 'gone', '-n', served]);
        expect(stdout).toMatch(/Warning\s+BundleMissing/);
      }, 20_000);
      await createObject(plane, blob);
      await bundleSays('gone', 'True', 'Verified');
    });

    /** The same for all these tests; whoever is first makes it. */
    async function startSteady(): Promise<void> {
      startOperator();
      const path = pathOf(KINDS.CachedModelService, { namespace: served, name: 'steady' });
      if ((await plane.request({ path })).status === 404) await create(...steady());
      await says(steady(), 'Ready', 'True', 'Serving');
      await says(steady(), 'PolicyApplied', 'True', 'AllReplicas');
      await says(steady(), 'ExitsActive', 'False', 'CollectingSamples');
    }

    async function revision(name: string, bundle: object, backboneDigest: string): Promise<void> {
      const spec = { serviceName: 'steady', backboneDigest };
      const made = aRevisionManifest({ ...spec, bundle: { ...bundle, configMapName: name } }, name);
      const metadata = { name, namespace: served };
      const path = pathOf(KINDS.CacheHeadRevision, { namespace: served });
      const { status } = await plane.request({
        ...{ method: 'POST', path },
        body: { ...made, metadata },
      });
      expect([201, 409]).toContain(status);
    }
  });

  test('whose roll is late says so, and is stalled', async () => {
    const late = [pending, 'late'] as const;
    const stop = startOperator();
    await create(...late);
    await says(late, 'Available', 'False', 'Starting');
    await deploymentOf(...late);
    await stop();
    // Minutes, else.
    const ref = { kind: 'Deployment', namespace: pending, name: 'late' } as const;
    await patchObject(plane, ref, { spec: { progressDeadlineSeconds: 1 } });
    await eventually(async () => {
      const { status } = await deploymentOf(...late);
      // A pod counted after the second was over is progress: it begins anew, and the next operator sets minutes again.
      expect(status.updatedReplicas).toBe(1);
      const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
      expect(progressing?.reason).toBe('ProgressDeadlineExceeded');
    }, 30_000);
    startOperator();
    const { message } = await says(late, 'Available', 'False', 'ProgressDeadlineExceeded');
    expect(message).toMatch(/timed out progressing.*See status\.lastFailure and `kubectl describe/);
    await says(late, 'Ready', 'False', 'ProgressDeadlineExceeded');
    await says(late, 'Stalled', 'True', 'ProgressDeadlineExceeded');
  }, 90_000);

  test('that another installation wants too says so, until that one may write', async () => {
    const shared = [served, 'shared'] as const;
    const stop = startOperator();
    await create(...shared);
    await says(shared, 'Ready', 'True', 'Serving');
    startOperator({ ...INSTALLATION, namespace: 'elsewhere', release: 'other' });
    const { message } = await says(shared, 'Contested', 'True', 'ForeignOperator');
    expect(message).toContain('Installation layercache-system/layercache of the operator writes');
    expect(message).toContain('Remove one of the two installations.');
    await says(shared, 'Ready', 'True', 'Serving');
    await stop();
    // Nobody follows the spec any more: the one that looks on contradicts what the other left.
    await patchObject(plane, service(...shared), { spec: { server: { policyMaxAge: '4m' } } });
    await eventually(async () => {
      expect(await conditionOf(...shared, 'Contested')).toMatchObject({ observedGeneration: 2 });
    }, 20_000);
    aheadMs = 61_000;
    await patchObject(plane, service(...shared), { metadata: { labels: { look: 'again' } } });
    expect((await says(shared, 'Valid', 'False', 'ForeignOperator')).message).toBe(message);
    await says(shared, 'Ready', 'False', 'ForeignOperator');
    const ref = { kind: 'ConfigMap', namespace: served, name: 'shared-policy' } as const;
    const annotations = { 'layercache.io/installation': null };
    await patchObject(plane, ref, { metadata: { annotations } });
    await eventually(async () => {
      expect(await conditionOf(...shared, 'Contested')).toBeUndefined();
    }, 60_000);
    await says(shared, 'Ready', 'True', 'Serving');
  }, 120_000);

  test('whose autoscaler gets its metrics says ScalingActive, and MetricsUnavailable without', async () => {
    const scaled = [pending, 'scaled'] as const;
    const adapter = await startMetricsAdapter(plane, pending);
    onTestFinished(() => adapter.close());
    adapter.value = 15;
    startOperator();
    const queue = { metric: { name: 'queue' }, target: { type: 'AverageValue', averageValue: 10 } };
    const autoscaling = { maxReplicas: 4, metrics: [{ type: 'External', external: queue }] };
    await create(...scaled, { autoscaling });
    const active = await says(scaled, 'AutoscalingActive', 'True', 'ScalingActive');
    expect(active.message).toMatch(/able to successfully calculate a replica count from external/);
    await eventually(async () => {
      const { spec } = await readObject<{ spec: { replicas: number } }>(plane, {
        ...{ kind: 'Deployment', namespace: pending, name: 'scaled' },
      });
      expect(spec.replicas).toBe(2);
    }, 30_000);
    adapter.value = null;
    const { message } = await says(scaled, 'AutoscalingActive', 'False', 'MetricsUnavailable');
    expect(message).toMatch(/the adapter has no figures.*Check the metrics adapter/s);
    await says(scaled, 'Valid', 'True', 'Accepted');
  }, 120_000);

  test('whose only pod is replaced says Updating, and warns that it interrupts', async () => {
    const rolling = [pending, 'rolling'] as const;
    startOperator();
    await create(...rolling, { updateStrategy: { maxSurge: 0, maxUnavailable: 1 } });
    await deploymentOf(...rolling);
    await makeReady(...rolling);
    await says(rolling, 'Available', 'True', 'MinimumReplicasAvailable');
    await patchObject(plane, service(...rolling), { spec: { server: { image: 'next:1' } } });
    await says(rolling, 'Available', 'False', 'Updating');
    await eventually(async () => {
      const { stdout } = await plane.kubectl(['describe', 'cms', 'rolling', '-n', pending]);
      expect(stdout).toMatch(/Warning\s+UpdateWillInterrupt.*Use two replicas or allow surge\./);
    }, 20_000);
  }, 60_000);

  /** As a kubelet would say it: there is none in this namespace. */
  async function makeReady(namespace: string, name: string): Promise<void> {
    const [pod] = await eventually(async () => {
      const pods = await podsOf(plane, namespace, name);
      expect(pods).toHaveLength(1);
      return pods;
    }, 20_000);
    const { body, status } = await plane.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/${pod!.metadata.name}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    // It takes its time to end.
    const ref = { kind: 'Pod', namespace, name: pod!.metadata.name } as const;
    await patchObject(plane, ref, { metadata: { finalizers: ['test.example/drain'] } });
  }

  test('whose pod does not take the new policy waits for it', async () => {
    const slow = [served, 'slow'] as const;
    startOperator();
    await create(...slow);
    await says(slow, 'PolicyApplied', 'True', 'AllReplicas');
    const [pod] = await podsOf(plane, ...slow);
    const fake = kubelet.pods.get(pod!.metadata.uid)!;
    fake.override = ({ method }) => (method === 'PUT' ? Promise.resolve(SILENT) : undefined);
    await patchObject(plane, service(...slow), { spec: { server: { policyMaxAge: '4m' } } });
    const { message } = await says(slow, 'PolicyApplied', 'Unknown', 'WaitingForReplicas');
    expect(message).toMatch(/^0 of 1 pod acknowledged policy \d+\.\d+\. Wait\.$/);
    await says(slow, 'Ready', 'True', 'Serving');
    fake.override = null;
    await says(slow, 'PolicyApplied', 'True', 'AllReplicas');
  }, 90_000);

  test('of 31 characters with the longest reasons fits 140 columns of kubectl get', async () => {
    const { name: namespace } = await plane.namespace();
    const name = 'a-name-of-thirty-one-characters';
    await create(namespace, name);
    const longest = (group: object): string =>
      Object.keys(group).reduce((a, b) => (b.length > a.length ? b : a));
    const time = '2026-11-25T10:00:00Z';
    const condition = (type: string, reason: string): object => ({
      ...{ type, reason, status: 'Unknown', message: '', lastTransitionTime: time },
    });
    const { status, body } = await plane.request({
      method: 'PATCH',
      path: `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/${name}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          observedGeneration: 1,
          readyReplicas: 1000,
          conditions: [
            condition('Ready', longest(REASON_GROUPS.service)),
            condition('ExitsActive', longest(REASON_GROUPS.exits)),
          ],
          heads: { stable: { revision: 'vision-3f2a9c1b77d0', id: '3f2a9c1b77d0', since: time } },
          accuracy: { exitedShare: '61.3%', upperBound: '10.58%' },
        },
      },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const { stdout } = await plane.kubectl(['get', 'cms', '-n', namespace]);
    const [header, row] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.trimEnd());
    expect(row).toContain('CompanionLoadFailed');
    // The age is seconds here and takes up to six characters, such as 2y364d.
    const age = /\S+$/.exec(row!)![0];
    expect(header!.length).toBeLessThanOrEqual(140);
    expect(row!.length - age.length + '2y364d'.length).toBeLessThanOrEqual(140);
  });
});
