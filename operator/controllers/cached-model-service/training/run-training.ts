import type { TrainerView } from '../../../fleet/trainer-store.ts';
import type { TrainingRequest } from '../../../lifecycle/types.ts';
import { trainingJobName } from '../../../plan/names.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import type { GatheredTraining } from './gather-training.ts';
import { makeTrainingJob } from './make-training-job.ts';
import { removeStaleJobs } from './remove-stale-jobs.ts';
import { takeOver, type OfferedBundle } from './take-over.ts';
import { toTrainerPod } from './trainer-pod.ts';

export interface TrainingWork {
  readonly service: ServiceToPlan;
  readonly adminGeneration: number;
  /** As the stored ledger has it; null: no training is wanted. */
  readonly request: TrainingRequest | null;
  readonly gathered: GatheredTraining;
  readonly parent: string | null;
}

/**
 * What a training takes, after the ledger that asks for it is stored: keys, the Job, and its bundle once it is offered. The
 * trainer ends when all of it stands in the API server.
 */
export async function runTraining(pass: ServicePass, work: TrainingWork): Promise<void> {
  const { request, service } = work;
  const { shell, gathered, attempt } = pass;
  if (attempt.isStopped) return;
  await removeStaleJobs(pass, service, request?.attempt ?? null);
  if (request === null) {
    shell.fleet.endTrainer(gathered.key);
    return;
  }
  await attend(pass, work, request);
}

async function attend(
  pass: ServicePass,
  work: TrainingWork,
  request: TrainingRequest,
): Promise<void> {
  const { fleet, caches } = pass.shell;
  const { key } = pass.gathered;
  const { name } = work.service;
  const pod = toTrainerPod(caches.trainers.listIndexed(key), name, request.attempt);
  if (pod !== null) fleet.followTrainer(key, pod);
  const view = fleet.trainer(key, request.attempt);
  const offered = offeredBundle(view);
  if (offered !== null) return takeOver(pass, work, offered);
  // It ends with an error, and its Job tries once more.
  if (view?.state?.state === 'Failed') fleet.endTrainer(key);
  const isMade = liveOf(pass.gathered, 'Job', trainingJobName(name, request.attempt)) !== null;
  if (!isMade && work.gathered.kind === 'Running') await makeTrainingJob(pass, work, request);
}

/** What is to be taken over; null: nothing yet, or it was. */
function offeredBundle(view: TrainerView | null): OfferedBundle | null {
  if (view === null || view.isEnding || view.bundle === null) return null;
  return { ...view.bundle, uri: view.state?.uri ?? null };
}
