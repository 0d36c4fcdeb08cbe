import type { Job } from 'kubernetes-types/batch/v1.js';
import type { Container, EnvVar, PodSpec, Volume, VolumeMount } from 'kubernetes-types/core/v1.js';

import { canonicalJson } from '../../crds/wire/json.ts';
import { compact } from './compact.ts';
import type { TrainerDefaults } from './defaults.ts';
import { childLabels } from './labels.ts';
import { mergeOverride } from './merge-pod-template.ts';
import { trainerAccountName, trainerSecretName, trainingJobName } from './names.ts';
import { childMetadata } from './owner.ts';
import type { PushStore } from './push-store.ts';
import type { ServiceToPlan } from './service.ts';
import { STORE_CA_BUNDLE_DIR, STORE_CREDENTIALS_DIR } from './template-v1/paths.ts';

export interface TrainingJobInput {
  readonly service: ServiceToPlan;
  readonly defaults: TrainerDefaults;
  readonly adminGeneration: number;
  readonly attempt: number;
  /** Where its bundle goes; null: nowhere, it is offered to the operator alone. */
  readonly store: PushStore | null;
  /** Hosts that may have private addresses, as pods have them. */
  readonly allowedHosts: readonly string[];
  /** What the process reads as LAYERCACHE_TRAINER_JOB. */
  readonly job: object;
}

export const ADMIN_PORT = 8081;
const ADMIN_DIR = '/etc/layercache/admin';
const NAME = 'trainer';
const STORE_SECRET = 'store-credentials';
const STORE_CA = 'store-ca-bundle';
const USER = 65_532;
/** A pod that failed is followed by one more; then the Job has failed. */
const BACKOFF_LIMIT = 1;
const TTL_SECONDS = 3_600;
const GRACE_SECONDS = 10;
/** With this code a trainer ends whose store refuses its bundle: training once more would change nothing. */
export const UPLOAD_FAILED_CODE = 3;

/**
 * One training: a pod without API token, accelerator or rights that pulls samples and offers its bundle until it is told that
 * it was taken over, or until its deadline. Meets Pod Security restricted.
 */
export function planTrainingJob(input: TrainingJobInput): Job {
  const { service, attempt } = input;
  const { deadline, podTemplate } = service.spec.heads.training;
  const labels = childLabels(service.name, 'trainer');
  const rendered = { metadata: { labels }, spec: podSpec(input) };
  const merged = mergeOverride(rendered, podTemplate);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: childMetadata(service, trainingJobName(service.name, attempt), 'trainer'),
    spec: {
      backoffLimit: BACKOFF_LIMIT,
      podFailurePolicy: {
        rules: [
          {
            action: 'FailJob',
            onExitCodes: { containerName: NAME, operator: 'In', values: [UPLOAD_FAILED_CODE] },
          },
        ],
      },
      activeDeadlineSeconds: Math.ceil(deadline / 1000),
      ttlSecondsAfterFinished: TTL_SECONDS,
      template: {
        ...merged,
        metadata: { ...merged.metadata, labels: { ...merged.metadata?.labels, ...labels } },
        // Whatever is laid over it: a trainer never holds a token of the API.
        spec: { ...rendered.spec, ...merged.spec, automountServiceAccountToken: false },
      },
    },
  };
}

function podSpec(input: TrainingJobInput): PodSpec {
  const { service, defaults, adminGeneration } = input;
  const { training } = service.spec.heads;
  const secretNames = defaults.imagePullSecretNames;
  return compact<PodSpec>({
    restartPolicy: 'Never',
    serviceAccountName: training.serviceAccountName ?? trainerAccountName(service.name),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    imagePullSecrets: secretNames.length > 0 ? secretNames.map((name) => ({ name })) : undefined,
    containers: [container(input)],
    volumes: [
      {
        name: 'admin',
        secret: {
          secretName: trainerSecretName(service.name, adminGeneration),
          defaultMode: 0o440,
        },
      },
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
      ...storeVolumes(input),
    ],
  });
}

function container(input: TrainingJobInput): Container {
  const { service, defaults, job } = input;
  const { resources } = service.spec.heads.training;
  return {
    name: NAME,
    image: defaults.image,
    imagePullPolicy: defaults.imagePullPolicy,
    command: ['node', '/app/trainer.mjs'],
    ports: [{ name: 'admin', containerPort: ADMIN_PORT, protocol: 'TCP' }],
    env: [
      { name: 'LAYERCACHE_TRAINER_JOB', value: canonicalJson(job) },
      { name: 'LAYERCACHE_ADMIN_DIR', value: ADMIN_DIR },
      {
        // Node counts the processors of the machine; without a limit this is their number too.
        name: 'LAYERCACHE_TRAINER_THREADS',
        valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1' } },
      },
      ...storeEnvironment(input),
    ],
    // Raw in our schema; the API server checks it.
    resources: resources ?? defaults.resources,
    volumeMounts: [
      { name: 'admin', mountPath: ADMIN_DIR, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...storeMounts(input),
    ],
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
    },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

/** Optional, as in servers: the trainer itself says what is missing. */
function storeVolumes({ store }: TrainingJobInput): Volume[] {
  const secretName = store?.pushSecretName;
  const caName = store?.caBundleConfigMapName;
  return [
    ...(secretName === undefined
      ? []
      : [
          {
            name: STORE_SECRET,
            secret: { secretName, optional: true, defaultMode: 0o440 },
          },
        ]),
    ...(caName === undefined
      ? []
      : [{ name: STORE_CA, configMap: { name: caName, optional: true } }]),
  ];
}

function storeMounts(input: TrainingJobInput): VolumeMount[] {
  return storeVolumes(input).map(({ name }) => ({
    name,
    mountPath: name === STORE_CA ? STORE_CA_BUNDLE_DIR : STORE_CREDENTIALS_DIR,
    readOnly: true,
  }));
}

function storeEnvironment(input: TrainingJobInput): EnvVar[] {
  const { store, allowedHosts } = input;
  if (store === null) return [];
  const mounted = storeMounts(input).map(({ name, mountPath }) => ({
    name: name === STORE_CA ? 'LAYERCACHE_STORE_CA_BUNDLE_DIR' : 'LAYERCACHE_STORE_CREDENTIALS_DIR',
    value: mountPath,
  }));
  return allowedHosts.length === 0
    ? mounted
    : [...mounted, { name: 'LAYERCACHE_ALLOWED_HOSTS', value: allowedHosts.join(',') }];
}
