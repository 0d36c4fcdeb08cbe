import type { KubeObject } from '../../../kube/api.ts';
import { isTerminating, ownershipOf } from '../../../kube/owner.ts';
import { trainingJobName } from '../../../plan/names.ts';
import type { ServiceToPlan } from '../../../plan/service.ts';
import { removeChild } from '../remove-child.ts';
import type { ServicePass } from '../service-pass.ts';
import { isEnded, readJob } from './read-job.ts';

/** A trainer that was told to end gets this long: its log and its Job then stay for people to read. */
const GRACE_MS = 60_000;

/** Trainings that nobody waits for any more would take processors for nothing. Ended Jobs go by their time to live. */
export async function removeStaleJobs(
  pass: ServicePass,
  { name, uid }: ServiceToPlan,
  wantedAttempt: number | null,
): Promise<void> {
  const { gathered, memory, lookAgain } = pass;
  const { staleSinceMs } = memory.training;
  const wanted = wantedAttempt === null ? null : trainingJobName(name, wantedAttempt);
  for (const job of gathered.live) {
    if (job.metadata.name === wanted || !isRunningJob(job, uid)) continue;
    const sinceMs = staleSinceMs.get(job.metadata.name) ?? gathered.monotonicMs;
    staleSinceMs.set(job.metadata.name, sinceMs);
    const waitMs = sinceMs + GRACE_MS - gathered.monotonicMs;
    if (waitMs > 0) lookAgain(waitMs);
    else if (await removeChild(pass, job)) staleSinceMs.delete(job.metadata.name);
  }
}

function isRunningJob(object: KubeObject, serviceUid: string): boolean {
  if (object.kind !== 'Job' || ownershipOf(object, serviceUid) !== 'Ours') return false;
  return !isTerminating(object) && !isEnded(readJob(object));
}
