import { Worker } from 'node:worker_threads';
import type { HeadJob, HeadJobRunner, TrainedHead } from '../training/head-job.ts';
import type {
  StudentJob,
  StudentJobRunner,
  TrainedStudent,
} from '../training/student/student-job.ts';

/** Runs jobs on other threads. */
export interface JobPool {
  readonly runJob: HeadJobRunner;
  readonly runStudent: StudentJobRunner;
}

/** What a worker answers to a job. */
export type WorkerAnswer =
  | { readonly ok: true; readonly trained: TrainedHead | TrainedStudent }
  | { readonly ok: false; readonly message: string };

interface Waiting {
  readonly job: HeadJob | StudentJob;
  readonly resolve: (trained: TrainedHead | TrainedStudent) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Trains heads and students side by side, each in a worker thread: a native step blocks its thread and uses one core. Threads live as long
 * as the process. @param script what a worker runs; it must call `serveJobs`. Samples are shared memory: a job copies none.
 */
export function createJobPool(script: URL, threads: number): JobPool {
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  let lost: Error | null = null;

  const next = (): void => {
    const [waiting] = queue;
    const worker = idle.at(-1);
    if (waiting === undefined || worker === undefined) return;
    queue.shift();
    idle.pop();
    busy.set(worker, waiting);
    worker.postMessage(waiting.job);
  };
  const settle = (worker: Worker, answer: WorkerAnswer): void => {
    const waiting = busy.get(worker);
    busy.delete(worker);
    if (answer.ok) waiting?.resolve(answer.trained);
    else waiting?.reject(new Error(answer.message));
  };
  // One lost thread ends the training: what it held is unknown, and the whole job can be run again.
  const giveUp = (worker: Worker, message: string): void => {
    settle(worker, { ok: false, message });
    lost ??= new Error(message);
    for (const { reject } of queue.splice(0)) reject(lost);
  };
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(script);
    worker.on('message', (answer: WorkerAnswer) => {
      settle(worker, answer);
      idle.push(worker);
      next();
    });
    worker.on('error', (error: Error) => {
      giveUp(worker, error.message);
    });
    worker.on('exit', () => {
      giveUp(worker, 'A training thread ended in the middle of a head: train again.');
    });
    return worker;
  });
  idle.push(...workers);

  const run = (job: Waiting['job']): Promise<TrainedHead | TrainedStudent> =>
    new Promise((resolve, reject) => {
      if (lost !== null) {
        reject(lost);
        return;
      }
      queue.push({ job, resolve, reject });
      next();
    });
  // A worker answers a job with what it trains (serve-jobs.ts).
  return {
    runJob: (job) => run(job) as Promise<TrainedHead>,
    runStudent: (job) => run(job) as Promise<TrainedStudent>,
  };
}
