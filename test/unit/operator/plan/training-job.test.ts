import { describe, expect, test } from 'vitest';
import type { TrainerDefaults } from '../../../../operator/plan/defaults.ts';
import { planHeadConfigMap, planHeadRevision } from '../../../../operator/plan/head-revision.ts';
import { planLedgerConfigMap, storedLedger } from '../../../../operator/plan/ledger-config-map.ts';
import { planTrainerSecret } from '../../../../operator/plan/trainer-secret.ts';
import { pushStoreOf } from '../../../../operator/plan/push-store.ts';
import { recordedInputs } from '../../../../operator/plan/recorded-inputs.ts';
import { serializeTemplateRecord } from '../../../../operator/plan/template-record.ts';
import { planTrainingJob, UPLOAD_FAILED_CODE } from '../../../../operator/plan/training-job.ts';
import { cacheHeadRevision } from '../../../../crds/v1alpha1/cache-head-revision.ts';
import { aBundle, aCompanion, aHead, DIGEST_A, DIGEST_C } from '../../crds/documents.ts';
import { aServiceToPlan, DEFAULTS, stored } from './builders.ts';

const TRAINER: TrainerDefaults = {
  image: 'registry.example.com/layercache/operator:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecretNames: [],
  resources: { requests: { cpu: '1' }, limits: { memory: '4Gi' } },
};

function planned(training: object = {}, defaults: TrainerDefaults = TRAINER) {
  return planTrainingJob({
    service: aServiceToPlan({ heads: { training } }),
    ...{ defaults, adminGeneration: 3, attempt: 2, job: { seed: 2 } },
    ...{ store: null, allowedHosts: [] },
  });
}

const podOf = (job: ReturnType<typeof planned>) => job.spec!.template.spec!;

test('a training is one Job by its attempt, with a deadline, one more try and an end in sight', () => {
  const { metadata, spec } = planned({ deadline: '90s' });
  expect(metadata).toMatchObject({ name: 'vision-train-2', namespace: 'ml' });
  expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/component': 'trainer' });
  expect(spec).toMatchObject({
    backoffLimit: 1,
    activeDeadlineSeconds: 90,
    ttlSecondsAfterFinished: 3_600,
  });
});

test('its pod has no token, no accelerator and no right, and meets Pod Security restricted', () => {
  const pod = podOf(planned());
  expect(pod).toMatchObject({
    restartPolicy: 'Never',
    serviceAccountName: 'vision-trainer',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(pod).not.toHaveProperty('imagePullSecrets');
  expect(pod.containers).toMatchObject([
    {
      image: TRAINER.image,
      resources: TRAINER.resources,
      securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    },
  ]);
  expect(pod.volumes).toMatchObject([
    { name: 'admin', secret: { secretName: 'vision-trainer-g3' } },
    { name: 'tmp' },
  ]);
  expect(pod.containers[0]?.env).toContainEqual({
    name: 'LAYERCACHE_TRAINER_JOB',
    value: '{"seed":2}',
  });
});

test('account, resources and pull secrets are those of spec and chart', () => {
  const resources = { limits: { memory: '8Gi' } };
  const job = planned(
    { serviceAccountName: 'trainer-s3', resources },
    { ...TRAINER, imagePullSecretNames: ['registry'] },
  );
  expect(podOf(job)).toMatchObject({
    serviceAccountName: 'trainer-s3',
    imagePullSecrets: [{ name: 'registry' }],
    containers: [{ resources }],
  });
});

test('podTemplate is merged last; a token and other labels are not to be had by it', () => {
  const job = planned({
    podTemplate: {
      metadata: { labels: { team: 'a', 'app.kubernetes.io/component': 'server' } },
      spec: {
        automountServiceAccountToken: true,
        nodeSelector: { pool: 'cpu' },
        containers: [{ name: 'trainer', env: [{ name: 'HTTPS_PROXY', value: 'http://proxy' }] }],
      },
    },
  });
  expect(job.spec?.template.metadata?.labels).toMatchObject({
    team: 'a',
    'app.kubernetes.io/component': 'trainer',
  });
  expect(podOf(job)).toMatchObject({
    automountServiceAccountToken: false,
    nodeSelector: { pool: 'cpu' },
  });
  expect(JSON.stringify(podOf(job).containers)).toContain('HTTPS_PROXY');
});

test('podTemplate may also take the labels away: the trainer keeps those it is found by', () => {
  const job = planned({ podTemplate: { metadata: null } });
  expect(job.spec?.template.metadata?.labels).toMatchObject({ 'layercache.io/service': 'vision' });
});

test('a trainer whose store refuses its bundle ends the Job at once', () => {
  const [rule] = planned().spec!.podFailurePolicy!.rules;
  expect(rule).toEqual({
    action: 'FailJob',
    onExitCodes: { containerName: 'trainer', operator: 'In', values: [UPLOAD_FAILED_CODE] },
  });
});

const STORES: readonly [string, object, object][] = [
  ['no store', {}, { store: null, volumes: ['admin', 'tmp'], variables: [] }],
  [
    'S3 with a Secret for each side and a CA',
    {
      s3: {
        ...{ uri: 's3://heads/vision', pullSecretName: 'read', pushSecretName: 'write' },
        caBundleConfigMapName: 'ca',
      },
    },
    {
      store: {
        uri: 's3://heads/vision',
        ...{ pushSecretName: 'write', caBundleConfigMapName: 'ca' },
      },
      volumes: ['admin', 'tmp', 'store-credentials', 'store-ca-bundle'],
      variables: [
        'LAYERCACHE_STORE_CREDENTIALS_DIR=/etc/layercache/store-credentials',
        'LAYERCACHE_STORE_CA_BUNDLE_DIR=/etc/layercache/store-ca-bundle',
        'LAYERCACHE_ALLOWED_HOSTS=minio.ml:9000',
      ],
    },
  ],
  [
    'a registry that one Secret reads and writes',
    { oci: { repository: 'registry.example.com/heads', pullSecretName: 'both' } },
    {
      store: { uri: 'oci://registry.example.com/heads', pushSecretName: 'both' },
      volumes: ['admin', 'tmp', 'store-credentials'],
      variables: [
        'LAYERCACHE_STORE_CREDENTIALS_DIR=/etc/layercache/store-credentials',
        'LAYERCACHE_ALLOWED_HOSTS=minio.ml:9000',
      ],
    },
  ],
  [
    'a registry with a Secret of the trainer alone',
    { oci: { repository: 'registry.example.com/heads', pushSecretName: 'write' } },
    {
      store: { uri: 'oci://registry.example.com/heads', pushSecretName: 'write' },
      volumes: ['admin', 'tmp', 'store-credentials'],
      variables: [
        'LAYERCACHE_STORE_CREDENTIALS_DIR=/etc/layercache/store-credentials',
        'LAYERCACHE_ALLOWED_HOSTS=minio.ml:9000',
      ],
    },
  ],
  [
    'a bucket that everybody may write',
    { s3: { uri: 's3://heads' } },
    {
      store: { uri: 's3://heads' },
      volumes: ['admin', 'tmp'],
      variables: ['LAYERCACHE_ALLOWED_HOSTS=minio.ml:9000'],
    },
  ],
];

test.each(STORES)('with %s a trainer gets what it writes with, as files', (_, given, wanted) => {
  const service = aServiceToPlan(
    Object.keys(given).length === 0 ? {} : { heads: { store: given } },
  );
  const store = pushStoreOf(service, DEFAULTS.template, DEFAULTS);
  const job = planTrainingJob({
    ...{ service, store, allowedHosts: ['minio.ml:9000'] },
    ...{ defaults: TRAINER, adminGeneration: 3, attempt: 2, job: {} },
  });
  const { volumes = [], containers } = podOf(job);
  const mounts = containers[0]?.volumeMounts?.map(({ name }) => name);
  const known = ['LAYERCACHE_TRAINER_JOB', 'LAYERCACHE_ADMIN_DIR', 'LAYERCACHE_TRAINER_THREADS'];
  const variables = containers[0]?.env?.filter(({ name }) => !known.includes(name)) ?? [];
  expect({
    store,
    volumes: volumes.map(({ name }) => name),
    variables: variables.map(({ name, value = '' }) => `${name}=${value}`),
  }).toEqual(wanted);
  expect(mounts).toEqual(volumes.map(({ name }) => name));
  // A missing Secret is told by the trainer; a required one would keep its pod from starting.
  const secret = volumes.find(({ name }) => name === 'store-credentials')?.secret;
  expect(secret === undefined || secret.optional).toBe(true);
});

describe('without a store of its own a service has that of the installation', () => {
  const ours = { uri: 's3://heads', pullSecretName: 'heads-reader' };
  const inputs = { ...DEFAULTS.template, store: ours };

  test('and writes with what pods read with, or with a Secret for that', () => {
    const defaults = { ...DEFAULTS, template: inputs };
    const own = aServiceToPlan();
    expect(pushStoreOf(own, inputs, defaults)).toEqual({
      ...{ uri: 's3://heads', pushSecretName: 'heads-reader' },
    });
    expect(pushStoreOf(own, inputs, { ...defaults, pushSecretName: 'writer' })).toEqual({
      ...{ uri: 's3://heads', pushSecretName: 'writer' },
    });
  });

  test('as its pods have it: the Secret of another one by now is not for it', () => {
    const moved = { ...inputs, store: { uri: 's3://other' } };
    const defaults = { ...DEFAULTS, template: moved, pushSecretName: 'writer-of-other' };
    const record = { templateVersion: 1, inputs, fingerprint: 'x' };
    const recorded = recordedInputs(serializeTemplateRecord(record), moved);
    expect(pushStoreOf(aServiceToPlan(), recorded, defaults)).toEqual({
      ...{ uri: 's3://heads', pushSecretName: 'heads-reader' },
    });
  });

  test.each([
    ['says nothing', undefined],
    ['cannot be read', '{"templateVersion":1,"inputs":{"image":7},"fingerprint":""}'],
  ])('as it is today where a Deployment %s', (_, annotation) => {
    expect(recordedInputs(annotation, inputs)).toBe(inputs);
  });

  test('whose push Secret is not shown to a store that the service names', () => {
    const service = aServiceToPlan({ heads: { store: { s3: { uri: 's3://heads' } } } });
    const defaults = { ...DEFAULTS, template: inputs, pushSecretName: 'writer' };
    expect(pushStoreOf(service, inputs, defaults)).toEqual({ uri: 's3://heads' });
  });
});

test('hosts are named only where a store is, and only if there are any', () => {
  const service = aServiceToPlan({ heads: { store: { s3: { uri: 's3://heads' } } } });
  const store = pushStoreOf(service, DEFAULTS.template, DEFAULTS);
  const job = planTrainingJob({
    ...{ service, store, allowedHosts: [] },
    ...{ defaults: TRAINER, adminGeneration: 3, attempt: 2, job: {} },
  });
  const names = podOf(job).containers[0]?.env?.map(({ name }) => name);
  expect(names).not.toContain('LAYERCACHE_ALLOWED_HOSTS');
});

test('a revision of a remote store names the place of its bundle and no ConfigMap', () => {
  const uri = `s3://heads/vision/${'0'.repeat(64)}`;
  const revision = planHeadRevision({
    service: aServiceToPlan(),
    ...{ digest: DIGEST_A, sizeBytes: 7, bundle: aBundle({ heads: [aHead()] }), uri },
    training: {},
  });
  expect(revision.spec.bundle).toEqual({ digest: DIGEST_A, sizeBytes: 7, uri });
  expect(cacheHeadRevision.safeParse(revision).success).toBe(true);
});

test('the keys of a trainer have a name per generation and never change', () => {
  const keys = { privateKey: 'key', certificate: 'crt', peers: '{}' };
  expect(planTrainerSecret(aServiceToPlan(), 3, keys)).toMatchObject({
    metadata: { name: 'vision-trainer-g3' },
    immutable: true,
    stringData: { 'tls.key': 'key', 'tls.crt': 'crt', 'peers.json': '{}' },
  });
});

test('a revision says what its bundle holds, and is one that the API takes', () => {
  const digest = `sha256:3f2a9c1b77d0${'0'.repeat(52)}`;
  const revision = planHeadRevision({
    service: aServiceToPlan(),
    ...{ digest, sizeBytes: 7, bundle: aBundle({ heads: [aHead(), aCompanion()] }) },
    uri: null,
    training: { jobName: 'vision-train-2', rows: 10_000 },
  });
  expect(revision.metadata).toMatchObject({ name: 'vision-3f2a9c1b77d0' });
  expect(revision.spec).toEqual({
    serviceName: 'vision',
    backboneDigest: DIGEST_A,
    bundle: { digest, sizeBytes: 7, configMapName: 'vision-3f2a9c1b77d0' },
    exits: [
      { name: 'early', tensor: 'blöck/out', pool: 1, hidden: 0 },
      { name: 'small', modelDigest: DIGEST_C },
    ],
    classCount: 2,
    training: { jobName: 'vision-train-2', rows: 10_000 },
  });
  expect(cacheHeadRevision.safeParse(revision).success).toBe(true);
});

test('a head without a tensor is told with an empty one, which the API refuses', () => {
  const revision = planHeadRevision({
    service: aServiceToPlan(),
    ...{ digest: DIGEST_A, sizeBytes: 7, bundle: aBundle({ heads: [aHead({ tensor: null })] }) },
    uri: null,
    training: {},
  });
  expect(revision.spec.exits).toMatchObject([{ name: 'early', tensor: '' }]);
});

test('a blob is immutable, found by its role, and goes with its revision', () => {
  const blob = planHeadConfigMap(aServiceToPlan(), { name: 'vision-1', uid: 'u1' }, 'aGVhZHM=');
  expect(blob).toMatchObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'vision-1',
      labels: { 'layercache.io/role': 'head', 'app.kubernetes.io/component': 'trainer' },
      ownerReferences: [
        { kind: 'CacheHeadRevision', name: 'vision-1', uid: 'u1', controller: true },
      ],
    },
    immutable: true,
    binaryData: { bundle: 'aGVhZHM=' },
  });
});

test('a ledger is one text in one object, read back as it was', () => {
  const map = planLedgerConfigMap(aServiceToPlan(), '{"a":1}');
  expect(map).toMatchObject({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'vision-evidence', labels: { 'layercache.io/role': 'ledger' } },
    data: { 'ledger.json': '{"a":1}' },
  });
  expect(storedLedger(stored(map))).toBe('{"a":1}');
  expect(storedLedger(stored({ ...map, data: {} }))).toBeNull();
  expect(storedLedger(stored({ ...map, data: undefined }))).toBeNull();
  expect(storedLedger(null)).toBeNull();
});
