import { Agent, request, type IncomingMessage } from 'node:http';
import type { Result } from '../../crds/wire/result.ts';
import { messageOf } from '../errors.ts';

/** An answer of an admin port: any status is an answer; the caller judges it. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface AdminCall {
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly path: string;
  readonly body?: Uint8Array | string;
  readonly contentType?: string;
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
}

/** One admin port over kept-alive connections. Never throws: a silent process is a value with code NoAnswer. */
export interface AdminClient {
  readonly baseUrl: string;
  call(call: AdminCall): Promise<Result<AdminAnswer>>;
  close(): void;
}

const DEADLINE_MS = 2_000;
const MAX_BYTES = 4 * 1024 * 1024;

export function createAdminClient(baseUrl: string): AdminClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  return {
    baseUrl,
    call: (call) => callOnce(baseUrl, agent, call),
    close: () => {
      agent.destroy();
    },
  };
}

function callOnce(baseUrl: string, agent: Agent, call: AdminCall): Promise<Result<AdminAnswer>> {
  return new Promise((resolve) => {
    const body = toBytes(call.body);
    const outgoing = request(new URL(call.path, baseUrl), {
      method: call.method,
      agent,
      headers: headersOf(call, body),
    });
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${call.deadlineMs ?? DEADLINE_MS} ms`));
    }, call.deadlineMs ?? DEADLINE_MS);
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
  return { ok: false, code: 'NoAnswer', message: `${baseUrl}: ${messageOf(error)}` };
}

/** A refusal as a value: the status and the server's own sentence. */
export function refusal(call: string, answer: AdminAnswer): Extract<Result<never>, { ok: false }> {
  return {
    ok: false,
    code: 'Refused',
    message: `${call} answered ${answer.status}: ${answer.body.toString('utf8', 0, 512)}`,
  };
}
