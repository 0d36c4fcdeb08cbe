// The main thread's side of one worker: plans and models. Batches do not pass here.
import { Worker } from 'node:worker_threads';
import { EngineError } from '../engine-error.ts';
import type { WorkerReply, WorkerRequest, WorkerStart } from './worker-messages.ts';

type WithoutJob<T> = T extends unknown ? Omit<T, 'job'> : never;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerHandle {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private readonly shared = new Int32Array(new SharedArrayBuffer(8));
  private nextJob = 1;

  constructor(
    script: string | URL,
    { socketPath, passThreads }: Omit<WorkerStart, 'counts'>,
    onDeath: (cause: Error) => void,
  ) {
    const workerData: WorkerStart = { socketPath, counts: this.shared.buffer, passThreads };
    this.worker = new Worker(script, { workerData });
    this.worker.on('message', (reply: WorkerReply) => {
      this.settle(reply);
    });
    this.worker.on('error', onDeath);
    this.worker.on('exit', (code) => {
      onDeath(new Error(`a worker ended with code ${code}`));
    });
  }

  get activations(): number {
    return Atomics.load(this.shared, 0);
  }

  get plans(): number {
    return Atomics.load(this.shared, 1);
  }

  ask(request: WithoutJob<WorkerRequest>): Promise<unknown> {
    const job = this.nextJob;
    this.nextJob += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(job, { resolve, reject });
      this.worker.postMessage({ ...request, job });
    });
  }

  private settle(reply: WorkerReply): void {
    const waiting = this.waiting.get(reply.job);
    this.waiting.delete(reply.job);
    if (reply.from === 'done') waiting?.resolve(reply.value);
    else waiting?.reject(new EngineError(reply.code, reply.message));
  }
}
