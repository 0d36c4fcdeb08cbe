import { Agent, request, type IncomingMessage } from 'node:http';
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { InferAnswer, InferMode, createInferCodec } from './infer-codec.ts';

export type InferOutcome =
  | { readonly ok: true; readonly answer: InferAnswer; readonly latencyMs: number }
  /** `code`: `http_<status>`, or the network's code. */
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Sends rows to the servers in turn over kept-alive connections; every failure is a value. */
export interface InferClient {
  infer(rows: readonly Buffer[], mode: InferMode): Promise<InferOutcome>;
  close(): void;
}

export interface InferClientOptions {
  readonly dataUrls: readonly string[];
  readonly modelName: string;
  readonly codec: ReturnType<typeof createInferCodec>;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

export function createInferClient(options: InferClientOptions): InferClient {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const path = `/v2/models/${encodeURIComponent(options.modelName)}/infer`;
  const urls = options.dataUrls.map((base) => new URL(path, base));
  let turn = 0;
  return {
    infer: async (rows, mode) => {
      const url = urls[turn++ % urls.length];
      if (url === undefined) return { ok: false, code: 'no_server', message: 'there is no server' };
      const { headerLength, body } = options.codec.encode(rows, mode);
      const startMs = options.clock.monotonicMs();
      try {
        const reply = await post(url, { agent, headerLength, body, timeoutMs: options.timeoutMs });
        const latencyMs = options.clock.monotonicMs() - startMs;
        if (reply.status !== 200) {
          return {
            ok: false,
            code: `http_${reply.status}`,
            message: reply.body.toString('utf8', 0, 512),
          };
        }
        return {
          ok: true,
          answer: options.codec.decode(reply.headerLength, reply.body, rows.length),
          latencyMs,
        };
      } catch (error) {
        return { ok: false, code: codeOf(error), message: messageOf(error) };
      }
    },
    close: () => {
      agent.destroy();
    },
  };
}

interface Posting {
  readonly agent: Agent;
  readonly headerLength: number;
  readonly body: Buffer;
  readonly timeoutMs: number;
}

interface Reply {
  readonly status: number;
  readonly headerLength: number;
  readonly body: Buffer;
}

function post(url: URL, posting: Posting): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: 'POST',
      agent: posting.agent,
      timeout: posting.timeoutMs,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': posting.body.byteLength,
        'inference-header-content-length': posting.headerLength,
      },
    });
    outgoing.on('timeout', () =>
      outgoing.destroy(new Error(`no answer within ${posting.timeoutMs} ms`)),
    );
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      collect(incoming, resolve, reject);
    });
    outgoing.end(posting.body);
  });
}

function collect(
  incoming: IncomingMessage,
  resolve: (reply: Reply) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('error', reject);
  incoming.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
    const header = Number(incoming.headers['inference-header-content-length'] ?? body.byteLength);
    resolve({ status: incoming.statusCode ?? 0, headerLength: header, body });
  });
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code.toLowerCase() : 'no_answer';
}
