import type { IncomingMessage } from 'node:http';
import { ServingError, shown } from '../errors.ts';
import { freeLarge } from '../engine/free-memory.ts';
import type { BodyHold } from './body-budget.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Counts the bytes, and refuses those that are too many. @defaultValue nobody does */
  readonly hold?: Pick<BodyHold, 'resize'>;
}

/** Length a client announced, checked before a byte of the body is read. Null: chunked. */
function checkAnnouncedLength(request: IncomingMessage, maxBytes: number): number | null {
  const { 'content-length': length, 'transfer-encoding': transfer } = request.headers;
  if (length === undefined) {
    if (transfer === undefined) throw new ServingError('length_required');
    return null;
  }
  const bytes = Number(length);
  if (bytes > maxBytes) throw new ServingError('body_too_large', { value: maxBytes });
  return bytes;
}

/** The whole body, which must come as it is. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ServingError('unsupported_encoding', {
      value: shown(encoding),
      expected: 'none, and send the body as it is',
    });
  }
  return collectBody(request, limits);
}

/** All bytes, by hand: one piece is handed on without a copy, and no byte beyond the cap is kept. */
export function collectBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { hold } = limits;
  const announced = checkAnnouncedLength(request, limits.maxBytes);
  // A body that cannot be held now is refused before it is read; what counts is what has come, or a few clients that announce much
  // and send nothing would keep all others out.
  if (announced !== null) {
    hold?.resize(announced);
    hold?.resize(0);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      finish(new ServingError('body_too_slow', { value: limits.timeoutMs / 1000 }));
    }, limits.timeoutMs);

    function finish(error: Error | null): void {
      clearTimeout(timer);
      request.removeListener('data', onData);
      request.removeListener('end', onEnd);
      request.removeListener('close', onClose);
      if (error === null) {
        resolve(joined(chunks, size));
        return;
      }
      chunks.length = 0;
      reject(error);
    }

    function onData(chunk: Buffer): void {
      size += chunk.length;
      if (size > limits.maxBytes) {
        finish(new ServingError('body_too_large', { value: limits.maxBytes }));
        return;
      }
      if (!isHeld(size)) return;
      chunks.push(chunk);
    }
    function isHeld(bytes: number): boolean {
      try {
        hold?.resize(bytes);
        return true;
      } catch (error) {
        finish(error as Error);
        return false;
      }
    }
    function onEnd(): void {
      finish(null);
    }
    function onClose(): void {
      finish(new HangUpError());
    }

    if (announced === 0) {
      finish(null);
      return;
    }
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('close', onClose);
  });
}

/** One piece is handed on as it is. Others are copied together, and their memory is given back at once: it is most of what a body takes. */
function joined(chunks: readonly Buffer[], size: number): Buffer {
  const [first = Buffer.alloc(0), ...others] = chunks;
  if (others.length === 0) return first;
  const body = Buffer.concat(chunks, size);
  for (const chunk of chunks) freeLarge(chunk);
  return body;
}

/** The client went away: there is nobody to answer. */
export class HangUpError extends Error {
  override readonly name = 'HangUpError';
}
