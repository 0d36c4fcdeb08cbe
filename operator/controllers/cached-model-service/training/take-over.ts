import type { VerifiedBundle } from '../../../fleet/pull-bundle.ts';
import type { KubeObject } from '../../../kube/api.ts';
import { ApiStatusError } from '../../../kube/api-status-error.ts';
import { toKubeObject } from '../../../kube/apply.ts';
import { getOrNull } from '../../../kube/get-or-null.ts';
import { planHeadConfigMap, planHeadRevision } from '../../../plan/head-revision.ts';
import { bundleDigestOf } from '../../bundle-digest-of.ts';
import { headRevisionName, trainingJobName } from '../../../plan/names.ts';
import { toTime } from '../../../plan/status/time.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import { readJob } from './read-job.ts';
import type { TrainingWork } from './run-training.ts';

export interface OfferedBundle extends VerifiedBundle {
  /** Where its trainer stored it; null: nowhere. */
  readonly uri: string | null;
}

/**
 * Brings a verified bundle into the API server: the revision, then its blob, owned by it, and only then the trainer may end. A
 * crash in between leaves a trainer that still offers it, and names that say what is there already. Of a bundle in a remote store
 * the revision says where it lies; its bytes stay in memory for the pod that tries it first.
 */
export async function takeOver(
  pass: ServicePass,
  work: TrainingWork,
  { uri, ...verified }: OfferedBundle,
): Promise<void> {
  const { headRevision: digest, bytes, bundle } = verified;
  const { shell, gathered } = pass;
  const { service, request } = work;
  const { namespace } = service;
  const name = headRevisionName(service.name, digest);
  const jobName = trainingJobName(service.name, request?.attempt ?? 0);
  const job = liveOf(gathered, 'Job', jobName);
  const revision = toKubeObject(
    planHeadRevision({
      ...{ service, digest, sizeBytes: bytes.length, bundle, uri },
      training: {
        jobName,
        ...(request === null ? {} : { trigger: request.trigger }),
        rows: bundle.training.trainingRows + bundle.training.validationRows,
        ...startOf(job),
        endTime: toTime(gathered.nowMs),
        trainerVersion: bundle.training.trainerVersion,
      },
    }),
  );
  const made = await createOrFind(pass, work, revision);
  // Another revision under our name holds other heads: its owner has to remove it.
  if (made === null || bundleDigestOf(made) !== digest) return;
  if (uri !== null) {
    shell.fleet.keepBundle(gathered.key, verified);
    shell.fleet.endTrainer(gathered.key);
    return;
  }
  const { uid } = made.metadata;
  if (uid === undefined) return;
  const base64 = Buffer.from(bytes).toString('base64');
  const blob = toKubeObject(planHeadConfigMap(service, { name, uid }, base64));
  const stored = await createOrFind(pass, work, {
    ...blob,
    metadata: { ...blob.metadata, namespace },
  });
  if (stored !== null) shell.fleet.endTrainer(gathered.key);
}

function startOf(job: KubeObject | null): { startTime?: string } {
  const startTime = job === null ? null : readJob(job).startTime;
  return startTime === null ? {} : { startTime };
}

/** The object as it is then; null: it could not be made. What the API server calls invalid ends the training, not the service. */
async function createOrFind(
  { shell, attempt, memory, lookAgain }: ServicePass,
  { request }: TrainingWork,
  object: KubeObject,
): Promise<KubeObject | null> {
  const { api } = shell.deps;
  const { name, namespace } = object.metadata;
  const kind = object.kind as 'CacheHeadRevision' | 'ConfigMap';
  const part = { verb: 'create', kind, name, body: { name } } as const;
  return attempt.run(part, async () => {
    try {
      return await api.create(object);
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      if (error.isInvalid) {
        const why = `The heads cannot be stored: ${error.detail}`;
        memory.training.refusals.set(request?.attempt ?? 0, why);
        lookAgain(0);
        return null;
      }
      if (!error.isAlreadyExists) throw error;
      return await getOrNull(api, {
        kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      });
    }
  });
}
