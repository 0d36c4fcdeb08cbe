import type { MessagePort, Worker } from 'node:worker_threads';
import type { RunningJob } from './run-job.ts';
import { INITIAL_STATE, type TrainerState } from './training-state.ts';

/** What the conducting thread tells the main thread: each new state, with the file once there is one. */
interface JobNews {
  readonly state: TrainerState;
  readonly bundle: Uint8Array | null;
}

/** A training as the admin port sees it. */
export type FollowedJob = Pick<RunningJob, 'state' | 'bundle'>;

/** The conducting thread's side: posts every change. */
export function postJob(job: RunningJob, port: Pick<MessagePort, 'postMessage'>): void {
  job.onChange(() => {
    const news: JobNews = { state: job.state(), bundle: job.bundle() };
    port.postMessage(news);
  });
}

/** The main thread's side: the last news, and a failure when the thread is lost. `onEnd` hears Done or Failed once. */
export function followJob(worker: Worker, onEnd: (state: TrainerState) => void): FollowedJob {
  let last: JobNews = { state: INITIAL_STATE, bundle: null };
  const hasEnded = (): boolean => last.state.state === 'Done' || last.state.state === 'Failed';
  const take = (news: JobNews): void => {
    if (hasEnded()) return;
    last = news;
    if (hasEnded()) onEnd(news.state);
  };
  const fail = (message: string): void => {
    take({ state: { ...last.state, state: 'Failed', message }, bundle: null });
  };
  worker.on('message', take);
  worker.on('error', (error: Error) => {
    fail(error.message);
  });
  worker.on('exit', () => {
    fail('The training thread ended before it was done: train again.');
  });
  return { state: () => last.state, bundle: () => last.bundle };
}
