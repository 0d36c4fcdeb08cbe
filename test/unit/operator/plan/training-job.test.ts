import { expect, test } from 'vitest';
import type { TrainerDefaults } from '../../../../operator/plan/defaults.ts';
import { planHeadConfigMap, planHeadRevision } from '../../../../operator/plan/head-revision.ts';
import { planLedgerConfigMap, storedLedger } from '../../../../operator/plan/ledger-config-map.ts';
import { planTrainerSecret } from '../../../../operator/plan/trainer-secret.ts';
import { planTrainingJob } from '../../../../operator/plan/training-job.ts';
import { cacheHeadRevision } from '../../../../crds/v1alpha1/cache-head-revision.ts';
import { aBundle, aCompanion, aHead, DIGEST_A, DIGEST_C } from '../../crds/documents.ts';
import { aServiceToPlan, stored } from './builders.ts';

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
    training: {},
  });
  expect(revision.spec.exits).toMatchObject([{ name: 'early', tensor: '' }]);
});

test('a blob is immutable, found by its role, and goes with its revision', () => {
  const blob = planHeadConfigMap(aServiceToPlan(), { name: 'vision-1', uid: 'u1' }, 'aGVhZHM=');
  expect(blob).toMatchObject({
    metadata: {
      name: 'vision-1',
      labels: { 'layercache.io/role': 'head' },
      ownerReferences: [{ kind: 'CacheHeadRevision', name: 'vision-1', uid: 'u1' }],
    },
    immutable: true,
    binaryData: { bundle: 'aGVhZHM=' },
  });
});

test('a ledger is one text in one object, read back as it was', () => {
  const map = planLedgerConfigMap(aServiceToPlan(), '{"a":1}');
  expect(map.metadata).toMatchObject({
    name: 'vision-evidence',
    labels: { 'layercache.io/role': 'ledger' },
  });
  expect(storedLedger(stored(map))).toBe('{"a":1}');
  expect(storedLedger(stored({ ...map, data: {} }))).toBeNull();
  expect(storedLedger(stored({ ...map, data: undefined }))).toBeNull();
  expect(storedLedger(null)).toBeNull();
});
