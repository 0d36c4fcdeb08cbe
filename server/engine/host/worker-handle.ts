// The main thread's side of one worker.
import { Worker } from 'node:worker_threads';
import { EngineError } from '../engine-error.ts';
import type { WorkerReply, WorkerRequest } from './worker-messages.ts';

type WithoutJob<T> = T extends unknown ? Omit<T, 'job'> : never;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerHandle {
  activations = 0;
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();
  private readonly onFrame: (bytes: Uint8Array) => void;
  private nextJob = 1;

  /** @param onFrame called with frames that are ready to be written to the main process. */
  constructor(
    script: string | URL,
    onFrame: (bytes: Uint8Array) => void,
    onDeath: (cause: Error) => void,
  ) {
    this.onFrame = onFrame;
    this.worker = new Worker(script);
    this.worker.on('message', (reply: WorkerReply) => {
      if (reply.from === 'frame') onFrame(reply.bytes);
      else this.settle(reply);
    });
    this.worker.on('error', onDeath);
    this.worker.on('exit', (code) => {
      onDeath(new Error(`a worker ended with code ${code}`));
    });
  }

  ask(request: WithoutJob<WorkerRequest>): Promise<unknown> {
    const job = this.nextJob;
    this.nextJob += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(job, { resolve, reject });
      this.worker.postMessage({ ...request, job });
    });
  }

  private settle(reply: Exclude<WorkerReply, { from: 'frame' }>): void {
    const waiting = this.waiting.get(reply.job);
    this.waiting.delete(reply.job);
    this.activations = reply.activations;
    if (reply.frames !== null) this.onFrame(reply.frames);
    if (reply.from === 'done') waiting?.resolve(reply.value);
    else waiting?.reject(new EngineError(reply.code, reply.message));
  }
}
