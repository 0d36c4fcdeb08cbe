import type { Result } from '../../crds/wire/result.ts';
import { pullBundle, type VerifiedBundle } from '../fleet/pull-bundle.ts';
import { pullTrainerState, sendDone, type TrainerState } from '../fleet/trainer-client.ts';
import type { HeadRevisionFacts, TrainingReport, TrainingRequest } from '../lifecycle/types.ts';
import type { TrainerProcess } from './processes/trainer-process.ts';

/** One trainer process at a time: starts it, follows it, takes its bundle over. */
export interface TrainingDesk {
  /** Starts the training of a request that is not known yet; repeating a request is harmless. */
  begin(request: TrainingRequest): Promise<void>;
  /** Reads the trainer's progress; takes over its bundle when it is done. */
  poll(): Promise<void>;
  report(): TrainingReport;
  stop(): Promise<void>;
}

export interface TrainingDeskOptions {
  start(request: TrainingRequest): Promise<Result<TrainerProcess>>;
  /** Stores a verified bundle and says what decisions need of it. */
  accept(bundle: VerifiedBundle): HeadRevisionFacts;
}

interface Running {
  readonly attempt: number;
  readonly trainer: TrainerProcess;
}

const STOP_DEADLINE_MS = 2_000;

export function createTrainingDesk(options: TrainingDeskOptions): TrainingDesk {
  let report: TrainingReport = { kind: 'Idle' };
  let running: Running | null = null;
  let lastAttempt = -1;

  const fail = (
    attempt: number,
    reason: 'NotBetter' | 'TooFewRows' | 'Failed',
    text: string,
  ): void => {
    report = { kind: 'Failed', attempt, reason, message: text };
  };

  const end = async (): Promise<void> => {
    const ending = running;
    running = null;
    if (ending === null) return;
    ending.trainer.admin.close();
    await ending.trainer.child.stop(STOP_DEADLINE_MS);
  };

  const takeOver = async ({ attempt, trainer }: Running, state: TrainerState): Promise<void> => {
    if (state.outcome !== 'Trained' || state.digest === null) {
      const reason =
        state.outcome === 'NotBetter' || state.outcome === 'TooFewRows' ? state.outcome : 'Failed';
      fail(attempt, reason, state.message);
      return;
    }
    const bundle = await pullBundle(trainer.admin, state.digest);
    if (bundle.ok) {
      report = { kind: 'Trained', attempt, revision: options.accept(bundle.value) };
    } else {
      fail(attempt, 'Failed', bundle.message);
    }
  };

  return {
    begin: async (request) => {
      if (request.attempt === lastAttempt) return;
      lastAttempt = request.attempt;
      await end();
      report = { kind: 'Running', progress: 0 };
      const started = await options.start(request);
      if (started.ok) running = { attempt: request.attempt, trainer: started.value };
      else fail(request.attempt, 'Failed', started.message);
    },
    poll: async () => {
      if (running === null) return;
      const { attempt, trainer } = running;
      if (trainer.child.hasEnded) {
        fail(attempt, 'Failed', `the trainer ended early: ${trainer.child.tail()}`);
        await end();
        return;
      }
      const state = await pullTrainerState(trainer.admin);
      // A busy trainer may miss one deadline; its end is noticed above.
      if (!state.ok) return;
      if (state.value.state === 'Failed') fail(attempt, 'Failed', state.value.message);
      else if (state.value.state === 'Done') await takeOver(running, state.value);
      else report = { kind: 'Running', progress: state.value.progress };
      if (report.kind === 'Running') return;
      await sendDone(trainer.admin);
      await end();
    },
    report: () => report,
    stop: end,
  };
}
