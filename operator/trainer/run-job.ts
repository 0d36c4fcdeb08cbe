import { createHash } from 'node:crypto';
import { errorText } from '../../server/core/system-error.ts';
import type { Clock } from '../clock.ts';
import type { AdminClient } from '../fleet/admin-client.ts';
import type { HeadJobRunner } from '../training/head-job.ts';
import { withoutStudents } from '../training/student/student-candidate.ts';
import type { StudentJobRunner } from '../training/student/student-job.ts';
import {
  trainHeads,
  type StudentWish,
  type TrainingOutcome,
  type TrainingStage,
} from '../training/train.ts';
import type { TrainerJob } from './config.ts';
import { pullInputs, wipeInputs } from './pull-inputs.ts';
import { pullPatiently, type PulledSamples } from './pull-samples.ts';
import { INITIAL_STATE, type TrainerState } from './training-state.ts';
import type { TrainedBundle, Uploaded } from './upload-bundle.ts';

/** A training that runs by itself; `state` and `bundle` may be read at any time. */
export interface RunningJob {
  state(): TrainerState;
  /** The file, once state is Done with outcome Trained. */
  bundle(): Uint8Array | null;
  /** Called after every change of `state`. */
  onChange(listener: () => void): void;
}

export interface JobTools {
  readonly runJob: HeadJobRunner;
  readonly runStudent: StudentJobRunner;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Opens the admin port of a server. */
  readonly connect: (baseUrl: string) => AdminClient;
  /** Brings a bundle into the remote store of the service; null: it has none. */
  readonly upload:
    ((bundle: TrainedBundle, onTrouble: (message: string) => void) => Promise<Uploaded>) | null;
}

/** Share of the work after which each stage begins. */
const STAGE_START: Readonly<Record<TrainingStage, number>> = {
  Merging: 0.05,
  Searching: 0.1,
  Choosing: 0.95,
};
const STAGE_TEXT: Readonly<Record<TrainingStage, string>> = {
  Merging: 'Sorting samples.',
  Searching: 'Training heads.',
  Choosing: 'Choosing exits.',
};

/** Pulls, trains, keeps the result. Never throws: a failure is a state with one sentence. */
export function startJob(job: TrainerJob, tools: JobTools): RunningJob {
  const startMs = tools.clock.monotonicMs();
  const listeners: (() => void)[] = [];
  let state = INITIAL_STATE;
  let bytes: Uint8Array | null = null;
  const change = (part: Partial<TrainerState>): void => {
    state = { ...state, ...part };
    for (const listener of listeners) listener();
  };
  const seconds = (): number => (tools.clock.monotonicMs() - startMs) / 1000;

  const run = async (): Promise<void> => {
    const onRows = (rows: number): void => {
      change({ rows, message: `Pulling samples, ${rows} rows.` });
    };
    const pulled = await pullPatiently(job, onRows, {
      connect: tools.connect,
      onTrouble: (trouble) => {
        change({ message: `Pulling samples. It is tried again: ${trouble}` });
      },
    });
    if (!pulled.ok) {
      change({ state: 'Failed', message: pulled.message, durationSeconds: seconds() });
      return;
    }
    const inputs = job.student ? await pullInputs(job.servers, tools.connect) : null;
    change({ state: 'Training', message: STAGE_TEXT.Merging, progress: STAGE_START.Merging });
    const outcome = await train(job, pulled.value, {
      runJob: tools.runJob,
      student: inputs && { inputs, runJob: tools.runStudent },
      onProgress: (stage, fraction) => {
        const span = stage === 'Searching' ? STAGE_START.Choosing - STAGE_START.Searching : 0;
        change({ message: STAGE_TEXT[stage], progress: STAGE_START[stage] + span * fraction });
      },
    });
    bytes = outcome.kind === 'Trained' ? outcome.bytes : null;
    const ending = { ...finished(outcome, pulled.value), durationSeconds: seconds() };
    const last = await store(ending, bytes);
    // Nothing asks for them again: a Job that fails before is run once more, and needs them.
    if (inputs !== null) await wipeInputs(job.servers, tools.connect);
    change(last);
  };
  /** The state that ends a training, once its bundle lies where the service keeps bundles. */
  async function store(
    ending: Partial<TrainerState>,
    trained: Uint8Array | null,
  ): Promise<Partial<TrainerState>> {
    const { digest = null } = ending;
    if (tools.upload === null || trained === null || digest === null) return ending;
    const say = (trouble: string): void => {
      change({ state: 'Uploading', message: `Storing the bundle.${trouble}` });
    };
    say('');
    const uploaded = await tools.upload({ digest, bytes: trained }, (message) => {
      say(` It is tried again: ${message}`);
    });
    if (uploaded.ok) return { ...ending, uri: uploaded.uri };
    const message = `The heads are trained and cannot be stored: ${uploaded.message}`;
    return { state: 'Failed', failure: 'UploadFailed', message, durationSeconds: seconds() };
  }
  run().catch((error: unknown) => {
    change({ state: 'Failed', message: errorText(error), durationSeconds: seconds() });
  });
  return {
    state: () => state,
    bundle: () => bytes,
    onChange: (listener) => {
      listeners.push(listener);
    },
  };
}

function train(
  job: TrainerJob,
  { state, batches }: PulledSamples,
  tools: {
    readonly runJob: HeadJobRunner;
    readonly student: Omit<StudentWish, 'backboneMacs'> | null;
    readonly onProgress: (stage: TrainingStage, fraction: number) => void;
  },
): Promise<TrainingOutcome> {
  if (state.costs === null) {
    throw new Error('The server has measured no costs yet: train again once it serves a plan.');
  }
  return trainHeads(
    {
      batches,
      costs: withoutStudents(state.costs, state.companionModels ?? []),
      headCost: state.headCost,
      plainBatch: state.queue.modalBatchRows,
      backboneDigest: state.backbone.digest,
      classCount: state.backbone.classCount,
      settings: job.settings,
      seed: job.seed,
      trainerVersion: job.trainerVersion,
      parent: job.parent,
      ...(tools.student === null
        ? {}
        : { student: { ...tools.student, backboneMacs: state.backbone.macs } }),
      onProgress: tools.onProgress,
    },
    tools.runJob,
  );
}

function finished(outcome: TrainingOutcome, { missing }: PulledSamples): Partial<TrainerState> {
  const { kind, summary } = outcome;
  const absent =
    missing.length > 0 ? ` Without ${missing.length} servers: ${missing.join('; ')}.` : '';
  const shared = {
    state: 'Done',
    outcome: kind,
    summary,
    rows: summary.rows,
    progress: 1,
  } as const;
  if (kind !== 'Trained') return { ...shared, message: outcome.message + absent };
  const exits = outcome.bundle.heads.map(({ exit }) => exit).join(', ');
  const withoutStudent = summary.noStudent === null ? '' : ` ${summary.noStudent}`;
  return {
    ...shared,
    message: `Trained heads at ${exits}.${withoutStudent}${absent}`,
    digest: `sha256:${createHash('sha256').update(outcome.bytes).digest('hex')}`,
    sizeBytes: outcome.bytes.length,
  };
}
