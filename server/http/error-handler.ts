import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { ErrorCode } from '../errors.ts';
import { ServingError, shown } from '../errors.ts';
import { HangUpError } from './read-body.ts';
import { traceIdOf } from './traceparent.ts';

export interface FailedRequest {
  /** What the client got. */
  readonly id: string;
  /** The trace that the request belongs to, if it said so. */
  readonly traceId: string | null;
}

/** A request, as far as errors look at it. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ErrorObserver {
  /** The one refusal that was answered, and whose paths it came to. */
  refused(error: ServingError, protocol: 'v1' | 'v2'): void;
  /** A bug: the log has the cause under the id that the client got. */
  failed(failure: FailedRequest, error: unknown): void;
}

const CUTS_CONNECTION: ReadonlySet<ErrorCode> = new Set(['body_too_large', 'body_too_slow']);

export function createErrorHandler(observer: ErrorObserver): ErrorRequestHandler {
  // Express tells error handlers by their four parameters.
  return (error: unknown, request, response, next) => {
    if (error instanceof HangUpError) return;
    if (response.headersSent) next(error);
    else answerError(error, request, response, observer);
  };
}

/** The only place where an error becomes an answer: {"error": "..."} and the status of the catalogue. */
export function answerError(
  error: unknown,
  request: Asked,
  response: ServerResponse,
  observer: ErrorObserver,
): void {
  const refusal = toRefusal(error, request, observer);
  observer.refused(refusal, request.path.startsWith('/v1/') ? 'v1' : 'v2');
  const text = JSON.stringify({ error: refusal.message });
  const headers: Record<string, string | number> = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...refusal.headers,
  };
  if (refusal.retryAfterSeconds !== null) headers['retry-after'] = refusal.retryAfterSeconds;
  // Node reads away what is left of a body; one that is too large or too slow is not worth that.
  if (CUTS_CONNECTION.has(refusal.code)) headers.connection = 'close';
  response.writeHead(refusal.status, headers);
  response.end(text);
}

function toRefusal(error: unknown, request: Asked, observer: ErrorObserver): ServingError {
  if (error instanceof ServingError) return error;
  // Express cannot decode the path (percent signs): such a path names nothing.
  if (error instanceof URIError) {
    return new ServingError('not_found', { method: request.method, path: shown(request.path) });
  }
  const id = randomUUID();
  observer.failed({ id, traceId: traceIdOf(request.headers.traceparent) }, error);
  return new ServingError('internal', { id }, { cause: error });
}

export const notFound: RequestHandler = (request) => {
  throw new ServingError('not_found', { method: request.method, path: shown(request.path) });
};

/** For a path that exists, with another method. */
export function methodNotAllowed(allow: string): RequestHandler {
  return (request) => {
    throw new ServingError(
      'method_not_allowed',
      { method: request.method, path: shown(request.path), expected: allow },
      { headers: { allow } },
    );
  };
}
