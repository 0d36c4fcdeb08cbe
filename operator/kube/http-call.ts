import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { ApiStatusError, type NoAnswerReason } from './api-status-error.ts';
import type { KubeClock } from './clock.ts';
import type { ClusterAccess } from './cluster-access.ts';

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, encoded. */
  readonly target: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** From the start to the last byte; null: the signal alone ends it. */
  readonly deadlineMs: number | null;
  /** For messages: verb and object. */
  readonly name: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** Larger than any page of 500 ordinary objects; an endless answer ends here. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/** One call, answer read whole. Any status is an answer; none at all throws. */
export async function callWhole(
  access: ClusterAccess,
  clock: KubeClock,
  call: HttpCall,
): Promise<HttpAnswer> {
  return withAnswer(access, clock, call, readAnswer);
}

/** One call whose answer the reader takes as it comes, by `chunksOf`: a reader that stops early closes the connection. */
export async function withAnswer<T>(
  access: ClusterAccess,
  clock: KubeClock,
  call: HttpCall,
  read: (incoming: IncomingMessage, call: HttpCall) => Promise<T>,
): Promise<T> {
  const ending = endCall(clock, call);
  try {
    ending.signal.throwIfAborted();
    return await read(await open(access, call, ending.signal), call);
  } catch (error) {
    throw ending.signal.aborted ? ending.signal.reason : error;
  } finally {
    ending.release();
  }
}

/** One signal out of deadline and caller, whose reason is already the error to throw. */
function endCall(
  clock: KubeClock,
  call: HttpCall,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const { deadlineMs, signal } = call;
  const onAbort = (): void => {
    controller.abort(noAnswer(call, 'Aborted', 'the caller ended it', signal?.reason));
  };
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const cancel =
    deadlineMs === null
      ? null
      : clock.schedule(deadlineMs, () => {
          controller.abort(
            noAnswer(call, 'DeadlineExceeded', `no whole answer within ${deadlineMs} ms`),
          );
        });
  return {
    signal: controller.signal,
    release: () => {
      cancel?.();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function open(
  access: ClusterAccess,
  call: HttpCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options = await access.requestOptions().catch((error: unknown) => {
    throw noAnswer(call, 'NoAnswer', `no credentials: ${textOf(error)}`, error);
  });
  signal.throwIfAborted();
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const url = new URL(access.server + call.target);
  const request = url.protocol === 'http:' ? http.request : https.request;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      ...options,
      method: call.method,
      headers: { ...(options.headers as http.OutgoingHttpHeaders), ...headersOf(call, body) },
      signal,
    });
    outgoing.on('error', (error) => {
      // One that was ended says nothing about the API server.
      if (!signal.aborted) access.answered?.(call.method, null);
      reject(noAnswer(call, 'NoAnswer', textOf(error), error));
    });
    outgoing.on('response', (incoming) => {
      access.answered?.(call.method, incoming.statusCode ?? null);
      resolve(incoming);
    });
    outgoing.end(body);
  });
}

function headersOf(call: HttpCall, body: string | undefined): Record<string, string> {
  const accept = { accept: call.accept ?? 'application/json', 'user-agent': 'layercache-operator' };
  if (body === undefined) return accept;
  return {
    ...accept,
    'content-type': call.contentType ?? 'application/json',
    'content-length': String(Buffer.byteLength(body)),
  };
}

/** The chunks of an answer; a torn connection is an `ApiStatusError`. */
export async function* chunksOf(
  incoming: IncomingMessage,
  call: HttpCall,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const chunk of incoming) yield chunk as Buffer;
  } catch (error) {
    throw noAnswer(call, 'NoAnswer', `the answer broke off: ${textOf(error)}`, error);
  }
}

export async function readAnswer(incoming: IncomingMessage, call: HttpCall): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(incoming, call)) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) {
      throw noAnswer(call, 'NoAnswer', `the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return {
    status: incoming.statusCode ?? 0,
    retryAfter: incoming.headers['retry-after'],
    text: Buffer.concat(chunks).toString('utf8'),
  };
}

export function noAnswer(
  call: HttpCall,
  reason: NoAnswerReason,
  detail: string,
  cause?: unknown,
): ApiStatusError {
  return new ApiStatusError({ status: 0, reason, detail, call: call.name, cause });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
