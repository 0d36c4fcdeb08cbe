import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Result } from '../../crds/wire/result.ts';
import { errorText } from '../../server/core/system-error.ts';
import type { AdminAnswer, AdminCall } from './admin-client.ts';

const DEADLINE_MS = 2_000;
const MAX_BYTES = 4 * 1024 * 1024;

/** One call over the agent's connections. Every failure is a value: deadline, size, broken connection, a stranger's key. */
export function callAdmin(
  baseUrl: string,
  agent: Agent,
  call: AdminCall,
): Promise<Result<AdminAnswer>> {
  return new Promise((resolve) => {
    const body = toBytes(call.body);
    const send = baseUrl.startsWith('https:') ? httpsRequest : httpRequest;
    const deadlineMs = call.deadlineMs ?? DEADLINE_MS;
    const outgoing = send(new URL(call.path, baseUrl), {
      method: call.method,
      agent,
      headers: headersOf(call, body),
    });
    const timer = setTimeout(() => {
      // A request that still waits for its connection tells nobody that it was destroyed.
      finish(noAnswer(baseUrl, new Error(`no answer within ${deadlineMs} ms`)));
      outgoing.destroy();
    }, deadlineMs);
    const finish = (result: Result<AdminAnswer>): void => {
      clearTimeout(timer);
      resolve(result);
    };
    outgoing.on('error', (error) => {
      finish(noAnswer(baseUrl, error));
    });
    outgoing.on('response', (incoming) => {
      readBody(incoming, call.maxBytes ?? MAX_BYTES).then(
        (bytes) => {
          finish({ ok: true, value: { status: incoming.statusCode ?? 0, body: bytes } });
        },
        (error: unknown) => {
          outgoing.destroy();
          finish(noAnswer(baseUrl, error));
        },
      );
    });
    outgoing.end(body);
  });
}

function toBytes(body: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
}

function headersOf(call: AdminCall, body: Uint8Array | undefined): Record<string, string> {
  if (body === undefined) return call.method === 'POST' ? { 'content-length': '0' } : {};
  return {
    'content-type': call.contentType ?? 'application/json',
    'content-length': String(body.byteLength),
  };
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes = chunk as Buffer;
    size += bytes.byteLength;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function noAnswer(baseUrl: string, error: unknown): Result<AdminAnswer> {
  return { ok: false, code: 'NoAnswer', message: `${baseUrl}: ${errorText(error)}` };
}
