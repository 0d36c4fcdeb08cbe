// Calls that wait for the host's answer.
import { decodeDone, decodeRows } from './batch-frames.ts';
import type { BatchOutcome, RowAnswer } from './engine-client.ts';
import { EngineError, type EngineFailure } from './engine-error.ts';
import { FrameError, type Frame } from './frames.ts';
import type { Awaited } from './heartbeat.ts';
import type { AnswerHeader } from './protocol.ts';

interface Pending extends Awaited {
  readonly resolve: (answer: AnswerHeader) => void;
  readonly reject: (error: EngineError) => void;
  readonly onRows: ((rows: readonly RowAnswer[]) => void) | null;
}

export interface CallOptions {
  /** When it is sent, in the time of the heartbeat; null: it may take as long as it takes. */
  readonly sinceMs: number | null;
  /** Of a batch: called as rows leave. */
  readonly onRows?: (rows: readonly RowAnswer[]) => void;
}

export class PendingCalls {
  private readonly calls = new Map<number, Pending>();
  private nextId = 1;

  add(send: (id: number) => void, { sinceMs, onRows }: CallOptions): Promise<AnswerHeader> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      this.calls.set(id, {
        resolve,
        reject,
        onRows: onRows ?? null,
        isBatch: onRows !== undefined,
        sinceMs,
      });
      send(id);
    });
  }

  receive(frame: Frame): void {
    const call = this.calls.get(frame.id);
    if (call === undefined) return;
    if (frame.kind === 'rows') {
      call.onRows?.(decodeRows(frame));
      return;
    }
    // Read first: a call whose answer is garbled waits on, for the end of the host.
    const answer = readAnswer(frame);
    this.calls.delete(frame.id);
    if (answer instanceof EngineError) call.reject(answer);
    else call.resolve(answer);
  }

  awaited(): Iterable<Awaited> {
    return this.calls.values();
  }

  get isEmpty(): boolean {
    return this.calls.size === 0;
  }

  rejectAll(error: EngineError): void {
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const { reject } of calls) reject(error);
  }
}

/** Throws FrameError. */
function readAnswer(frame: Frame): AnswerHeader | EngineError {
  if (frame.kind === 'done') return { to: 'run', outcome: decodeDone(frame) };
  if (frame.kind === 'answer') return frame.header as AnswerHeader;
  if (frame.kind !== 'failure') throw new FrameError(`${frame.kind} in place of an answer`);
  const { code, message } = frame.header as EngineFailure;
  return new EngineError(code, message);
}

export function toOutcome(answer: AnswerHeader): BatchOutcome {
  if (answer.to === 'run') return answer.outcome;
  throw new EngineError('EngineFailed', `the host answered ${answer.to} to a batch`);
}
