import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { decoderEnvironment } from './config.ts';
import type { DecodeCall, DecodedImage, DecodeMessage, ImageDecoder } from './image-decoder.ts';
import { ImageDecoderError } from './image-decoder.ts';
import type { ImageInput } from './image-input.ts';

export interface ImageClientOptions {
  /** The bundled server/image/host.ts. */
  readonly hostScript: string;
  readonly maxPixels: number;
  /** The process ended with pictures in it, or could not start. */
  readonly onEnd: (detail: string) => void;
  /** @defaultValue 10 s for one picture */
  readonly timeoutMs?: number;
  /** @defaultValue as many as processors, at most 4 */
  readonly places?: number;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly input: ImageInput;
  readonly settle: (outcome: DecodedImage | ImageDecoderError) => void;
  deaths: number;
  isLate: boolean;
  timer: NodeJS.Timeout | null;
}

const TIMEOUT_MS = 10_000;
const START_WITHIN_MS = 20_000;
/** Above it the process is replaced once nothing runs in it. */
const RSS_LIMIT_BYTES = 512 * 2 ** 20;

/**
 * Decodes in a child process that starts with the first picture: a server without pictures never loads libvips. Few pictures run at
 * once, which bounds memory; after a death each picture that was in it runs once more, alone, so that the guilty one is known.
 */
export function createImageClient(options: ImageClientOptions): ImageDecoder {
  const places = options.places ?? Math.min(4, availableParallelism());
  const queue: Job[] = [];
  const running = new Map<number, Job>();
  let child: ChildProcess | null = null;
  let isReady = false;
  let isWorn = false;
  let isClosed = false;
  let nextId = 1;
  let startTimer: NodeJS.Timeout | undefined;

  function pump(): void {
    if (isWorn && running.size === 0) end();
    for (let job = queue[0]; job !== undefined && mayStart(job); job = queue[0]) {
      queue.shift();
      start(job);
    }
  }

  function mayStart(job: Job): boolean {
    if (isWorn || running.size >= places) return false;
    const isSuspect = job.deaths > 0 || [...running.values()].some(({ deaths }) => deaths > 0);
    return running.size === 0 || !isSuspect;
  }

  function start(job: Job): void {
    const process = child ?? begin();
    const id = nextId++;
    running.set(id, job);
    if (isReady) arm(job, process);
    const { bytes, input } = job;
    const call: DecodeCall = { id, bytes, input, maxPixels: options.maxPixels };
    // A process that is gone tells so by its exit.
    process.send(call, () => undefined);
  }

  /** The time of a picture begins when there is somebody to decode it. */
  function arm(job: Job, process: ChildProcess): void {
    job.timer = setTimeout(() => {
      job.isLate = true;
      process.kill('SIGKILL');
    }, options.timeoutMs ?? TIMEOUT_MS);
  }

  function begin(): ChildProcess {
    const process = fork(options.hostScript, {
      env: decoderEnvironment(),
      execArgv: ['--max-old-space-size=128'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child = process;
    isReady = false;
    startTimer = setTimeout(() => process.kill('SIGKILL'), START_WITHIN_MS);
    process.on('message', (message: DecodeMessage) => {
      if (child === process) receive(message, process);
    });
    process.on('error', () => undefined);
    process.on('exit', (code, signal) => {
      if (child === process) ended(signal ?? `code ${code ?? '?'}`);
    });
    return process;
  }

  function receive(message: DecodeMessage, process: ChildProcess): void {
    switch (message.kind) {
      case 'ready':
        isReady = true;
        clearTimeout(startTimer);
        for (const job of running.values()) arm(job, process);
        return;
      case 'unavailable':
        process.kill('SIGKILL');
        return;
      case 'decoded': {
        isWorn = message.rssBytes > RSS_LIMIT_BYTES;
        const job = take(message.id);
        job?.settle(message.image);
        pump();
      }
    }
  }

  function take(id: number): Job | undefined {
    const job = running.get(id);
    running.delete(id);
    if (job !== undefined && job.timer !== null) clearTimeout(job.timer);
    return job;
  }

  function ended(how: string): void {
    const wasReady = isReady;
    child = null;
    isWorn = false;
    clearTimeout(startTimer);
    const jobs = [...running.keys()].flatMap((id) => take(id) ?? []);
    if (jobs.length > 0) options.onEnd(wasReady ? `ended by ${how}` : `did not start: ${how}`);
    for (const job of jobs.reverse()) {
      if (!wasReady) job.settle(new ImageDecoderError('the decoder does not start'));
      else if (job.isLate) job.settle({ ok: false, problem: 'it takes too long' });
      else if (job.deaths > 0) job.settle({ ok: false, problem: 'it ends the decoder' });
      else {
        job.deaths += 1;
        queue.unshift(job);
      }
    }
    if (!isClosed) pump();
  }

  function end(): void {
    const process = child;
    child = null;
    isWorn = false;
    clearTimeout(startTimer);
    process?.kill('SIGKILL');
  }

  return {
    decode: (bytes, input, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const job: Job = {
          bytes,
          input,
          deaths: 0,
          isLate: false,
          timer: null,
          settle: (outcome) => {
            signal.removeEventListener('abort', onAbort);
            if (outcome instanceof ImageDecoderError) reject(outcome);
            else resolve(outcome);
          },
        };
        function onAbort(): void {
          const place = queue.indexOf(job);
          if (place !== -1) queue.splice(place, 1);
          reject(signal.reason as Error);
        }
        signal.addEventListener('abort', onAbort, { once: true });
        queue.push(job);
        pump();
      }),
    close: () => {
      isClosed = true;
      end();
    },
  };
}
