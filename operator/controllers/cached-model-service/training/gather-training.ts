import type { TrainerView } from '../../../fleet/trainer-store.ts';
import type { KubeObject } from '../../../kube/api.ts';
import type { Ledger } from '../../../lifecycle/ledger.ts';
import type { HeadRevisionFacts, TrainingReport } from '../../../lifecycle/types.ts';
import { bundleDigestOf } from '../../bundle-digest-of.ts';
import { trainingJobName } from '../../../plan/names.ts';
import { revisionSourceOf } from '../../../plan/revision-source.ts';
import { liveOf } from '../gather.ts';
import type { ServicePass } from '../service-pass.ts';
import { readJob } from './read-job.ts';
import { describeTrainerEnd } from './trainer-end.ts';

/** What became of the training that the ledger asks for. `Trained`: its revision exists, whether or not its bundle can be read. */
export type GatheredTraining =
  | Exclude<TrainingReport, { readonly kind: 'Trained' }>
  | { readonly kind: 'Trained'; readonly attempt: number; readonly headRevision: string };

/** By what stands in the API server first, so that a new leader goes on where the last one ended. */
export function gatherTraining(pass: ServicePass, { training }: Ledger): GatheredTraining {
  const { request } = training;
  if (request === null) return { kind: 'Idle' };
  const { attempt } = request;
  const { gathered, memory, shell } = pass;
  const name = trainingJobName(gathered.object.metadata.name, attempt);
  const view = shell.fleet.trainer(gathered.key, attempt);
  const headRevision = revisionOfJob(pass, name) ?? revisionOfBundle(pass, view);
  if (headRevision !== null) return { kind: 'Trained', attempt, headRevision };
  const said = view?.state ?? null;
  if (said !== null) memory.training.words.set(attempt, said.message);
  const refusal = memory.training.refusals.get(attempt);
  if (refusal !== undefined) return { kind: 'Failed', attempt, reason: 'Failed', message: refusal };
  const outcome =
    readOutcome(attempt, view) ?? readEnd(pass, attempt, liveOf(gathered, 'Job', name));
  return outcome ?? { kind: 'Running', progress: progressOf(view) };
}

function progressOf(view: TrainerView | null): number {
  return view?.state?.progress ?? 0;
}

/** A revision that names this Job. */
function revisionOfJob({ gathered, shell }: ServicePass, jobName: string): string | null {
  for (const object of shell.caches.headRevisions.listIndexed(gathered.key)) {
    const source = revisionSourceOf(object);
    if (source?.jobName === jobName) return source.digest;
  }
  return null;
}

/** The same heads as those of an earlier Job: there is one revision per digest. */
function revisionOfBundle(
  { gathered, shell }: ServicePass,
  view: TrainerView | null,
): string | null {
  const digest = view?.bundle?.headRevision ?? null;
  if (digest === null) return null;
  const isKnown = shell.caches.headRevisions
    .listIndexed(gathered.key)
    .some((object) => bundleDigestOf(object) === digest);
  return isKnown ? digest : null;
}

/** A training that ended without heads for good. One that broke off is repeated by its Job. */
function readOutcome(attempt: number, view: TrainerView | null): GatheredTraining | null {
  const state = view?.state ?? null;
  if (state !== null && state.failure !== null) {
    return { kind: 'Failed', attempt, reason: state.failure, message: state.message };
  }
  if (state?.state !== 'Done' || state.outcome === null || state.outcome === 'Trained') return null;
  return { kind: 'Failed', attempt, reason: state.outcome, message: state.message };
}

/** A trainer's exit code says that its store refused the bundle: the Job's policy on codes then ends it. */
const FAILED_AS: Readonly<Record<string, 'DeadlineExceeded' | 'UploadFailed'>> = {
  DeadlineExceeded: 'DeadlineExceeded',
  PodFailurePolicy: 'UploadFailed',
};

function readEnd(
  { memory, shell, gathered }: ServicePass,
  attempt: number,
  job: KubeObject | null,
): GatheredTraining | null {
  if (job === null) return null;
  const { failure, isComplete } = readJob(job);
  const word = memory.training.words.get(attempt) ?? '';
  // Asked for only when it has ended: every pass of a running training comes by here.
  const told = (text: string): string => {
    const pods = shell.caches.trainers.listIndexed(gathered.key);
    const end = describeTrainerEnd(pods, job.metadata.name);
    const said = word === '' ? null : `Its last words: ${word}`;
    return [text, end, said].filter((sentence) => sentence !== null).join(' ');
  };
  if (failure !== null) {
    const reason = FAILED_AS[failure.reason] ?? 'Failed';
    return { kind: 'Failed', attempt, reason, message: told(`${failure.message}.`) };
  }
  if (!isComplete) return null;
  const message = told('The Job ended, and there is no revision of it.');
  return { kind: 'Failed', attempt, reason: 'Failed', message };
}

/** As decisions take it: heads whose bundle is not there yet are still being made. */
export function toReport(
  training: GatheredTraining,
  revisions: readonly HeadRevisionFacts[],
): TrainingReport {
  if (training.kind !== 'Trained') return training;
  const { attempt, headRevision } = training;
  const revision = revisions.find((known) => known.headRevision === headRevision);
  return revision === undefined
    ? { kind: 'Running', progress: 1 }
    : { kind: 'Trained', attempt, revision };
}
