import { isIPv6 } from 'node:net';
import { MAX_CONFIG_MAP_BUNDLE_BYTES } from '../../../../crds/v1alpha1/head-revision-rules.ts';
import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import { settingsInForce } from '../lifecycle/settings-in-force.ts';
import { createTrainerKeys, pinOf } from '../../../fleet/identity/identities.ts';
import { ApiStatusError } from '../../../kube/api-status-error.ts';
import { toKubeObject } from '../../../kube/apply.ts';
import type { KubeObject } from '../../../kube/api.ts';
import type { TrainingRequest } from '../../../lifecycle/types.ts';
import { ANNOTATIONS, trainerSecretName, trainingJobName } from '../../../plan/names.ts';
import { recordedInputs } from '../../../plan/recorded-inputs.ts';
import { pushStoreOf, type PushStore } from '../../../plan/push-store.ts';
import { planTrainerSecret } from '../../../plan/trainer-secret.ts';
import { ADMIN_PORT, planTrainingJob } from '../../../plan/training-job.ts';
import { VERSION } from '../../../version.ts';
import { isReadyPod } from '../decide-policy.ts';
import { toFleetPods } from '../fleet-pods.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import type { TrainingWork } from './run-training.ts';

const NO_POD_MS = 10_000;

/** Keys first: a pod that mounts a Secret which is not there waits for minutes. Both are made once and never changed. */
export async function makeTrainingJob(
  pass: ServicePass,
  work: TrainingWork,
  request: TrainingRequest,
): Promise<void> {
  const { shell, memory, lookAgain } = pass;
  const { trainer } = shell.deps.defaults;
  const { service, adminGeneration } = work;
  const servers = serversOf(pass, adminGeneration);
  if (trainer === undefined || servers.length === 0) {
    // Nobody to pull from yet: pods come, or their keys are being rotated.
    lookAgain(NO_POD_MS);
    return;
  }
  const { rootKey, clock } = shell.deps;
  const keysOf = { serviceUid: service.uid, generation: adminGeneration };
  if (!memory.training.secrets.has(adminGeneration)) {
    const keys = createTrainerKeys(rootKey, keysOf, clock.nowMs());
    const secret = toKubeObject(planTrainerSecret(service, adminGeneration, keys));
    const name = trainerSecretName(service.name, adminGeneration);
    const isThere = await createOnce(pass, 'Secret', name, secret);
    if (!isThere) return;
    memory.training.secrets.add(adminGeneration);
  }
  const serverPin = pinOf(rootKey, { ...keysOf, role: 'server' });
  const { defaults } = shell.deps;
  const deployment = liveOf(pass.gathered, 'Deployment', service.name);
  const recorded = deployment?.metadata.annotations?.[ANNOTATIONS.templateInputs];
  const template = recordedInputs(recorded, defaults.template);
  const store = pushStoreOf(service, template, defaults);
  const job = planTrainingJob({
    ...{ service, defaults: trainer, adminGeneration, attempt: request.attempt },
    ...{ store, allowedHosts: template.allowedHosts },
    job: toTrainerJob(pass, work, request, { servers, serverPin, store }),
  });
  const name = trainingJobName(service.name, request.attempt);
  await createOnce(pass, 'Job', name, toKubeObject(job));
}

/** Ready pods that mount the keys of this generation. */
function serversOf({ gathered }: ServicePass, generation: number): string[] {
  const ready = gathered.pods.filter(isReadyPod);
  return toFleetPods(ready, gathered.object.metadata.name)
    .filter(({ adminGeneration }) => adminGeneration === generation)
    .map(({ ip }) => `https://${isIPv6(ip) ? `[${ip}]` : ip}:${ADMIN_PORT}`);
}

function toTrainerJob(
  { gathered }: ServicePass,
  { service, parent }: TrainingWork,
  { part, after, attempt }: TrainingRequest,
  {
    store,
    ...from
  }: {
    readonly servers: readonly string[];
    readonly serverPin: string;
    readonly store: PushStore | null;
  },
): object {
  const { budget, maxActiveExits, minSaving, maxOverhead } = settingsInForce(service, {
    nowMs: gathered.nowMs,
    canTrain: true,
  });
  const limits = { budget, maxActiveExits, minSaving, maxOverhead };
  return {
    ...from,
    ...{ part, after, parent },
    settings: { ...limits, maxBundleBytes: maxBytesIn(store) },
    // Absent where it is not wanted: trainers of the version before do not know it.
    ...(service.spec.heads.training.student === 'Auto' ? { student: true } : {}),
    ...(store === null ? {} : { store: { uri: store.uri } }),
    // Another training of the same rows may find other heads.
    seed: attempt,
    trainerVersion: VERSION,
  };
}

function maxBytesIn(store: PushStore | null): number {
  return store === null ? MAX_CONFIG_MAP_BUNDLE_BYTES : WIRE_LIMITS.headBundleBytes;
}

/** Whether it is there afterwards; one that exists is ours by its name, which says what it holds. */
async function createOnce(
  { shell, memory, attempt }: ServicePass,
  kind: 'Secret' | 'Job',
  name: string,
  object: KubeObject,
): Promise<boolean> {
  const { api, clock } = shell.deps;
  const part = { verb: 'create', kind, name, body: { name } } as const;
  const made = await attempt.run(part, async () => {
    try {
      return await api.create(object);
    } catch (error) {
      if (error instanceof ApiStatusError && error.isAlreadyExists) return 'Exists';
      throw error;
    }
  });
  if (made === null) return false;
  if (made !== 'Exists' && kind === 'Job') memory.written.wrote(made, clock.monotonicMs());
  return true;
}
