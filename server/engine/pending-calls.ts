// Calls that wait for the host's answer.
import { decodeDone, decodeRows } from './batch-frames.ts';
import type { BatchOutcome, RowAnswer } from './engine-client.ts';
import { EngineError } from './engine-error.ts';
import type { Frame } from './frames.ts';
import type { AnswerHeader, FailureHeader } from './protocol.ts';

interface Pending {
  readonly resolve: (answer: AnswerHeader) => void;
  readonly reject: (error: EngineError) => void;
  readonly onRows: ((rows: readonly RowAnswer[]) => void) | null;
  /** For batches: when it was sent. */
  readonly sinceMs: number | null;
}

export class PendingCalls {
  private readonly calls = new Map<number, Pending>();
  private nextId = 1;

  add(
    send: (id: number) => void,
    batch: { readonly onRows: (rows: readonly RowAnswer[]) => void; readonly nowMs: number } | null,
  ): Promise<AnswerHeader> {
    const id = this.nextId;
    this.nextId += 1;
    return new Promise((resolve, reject) => {
      this.calls.set(id, {
        resolve,
        reject,
        onRows: batch?.onRows ?? null,
        sinceMs: batch?.nowMs ?? null,
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
    this.calls.delete(frame.id);
    if (frame.kind === 'done') call.resolve({ to: 'run', outcome: decodeDone(frame) });
    else if (frame.kind === 'answer') call.resolve(frame.header as AnswerHeader);
    else {
      const { code, message } = frame.header as FailureHeader;
      call.reject(new EngineError(code, message));
    }
  }

  /** When the oldest batch in flight was sent; null when there is none. */
  oldestBatchMs(): number | null {
    const times = [...this.calls.values()].flatMap(({ sinceMs }) => sinceMs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  rejectAll(error: EngineError): void {
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const { reject } of calls) reject(error);
  }
}

export function toOutcome(answer: AnswerHeader): BatchOutcome {
  if (answer.to === 'run') return answer.outcome;
  throw new EngineError('EngineFailed', `the host answered ${answer.to} to a batch`);
}
