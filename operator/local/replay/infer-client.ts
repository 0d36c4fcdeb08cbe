import { createHash } from 'node:crypto';
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { errorText } from '../../../server/core/system-error.ts';
import type { Clock } from '../../clock.ts';
import type { InferAnswer, InferMode, createInferCodec } from './infer-codec.ts';

export type InferOutcome =
  | { readonly ok: true; readonly answer: InferAnswer; readonly latencyMs: number }
  /** `code`: `http_<status>`, or the network's code. */
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Sends rows to the servers over kept-alive connections, in turn, or frames of a clip to the same one; every failure is a value. */
export interface InferClient {
  /** @param clip what the rows are frames of, told to the server; absent or null: nothing. */
  infer(rows: readonly Buffer[], mode: InferMode, clip?: string | null): Promise<InferOutcome>;
  /** From now on a request that no server takes fails instead of waiting. */
  giveUp(): void;
  /** Also ends the waiting of requests that nobody took. */
  close(): void;
}

/** What one server made of one request. */
export interface SettledRequest {
  readonly dataUrl: string;
  readonly sentMs: number;
  /** SentAgain: the server did not take it, so another one may. */
  readonly end: 'Answered' | 'SentAgain' | 'Failed';
}

export interface InferClientOptions {
  /** Servers that are there to be asked: alive, and ready once they were started again. */
  readonly dataUrls: () => readonly string[];
  readonly modelName: string;
  readonly codec: ReturnType<typeof createInferCodec>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Header that names the clip of a request. */
  readonly sourceHeader: string | null;
  readonly onAttempt?: (dataUrl: string) => void;
  readonly onSettled?: (settled: SettledRequest) => void;
}

/** A server that refused a request is asked again after this time, the next one at once. */
const REFUSED_MS = 250;
/** How often a request looks for a server while there is none. */
const NOBODY_MS = 50;

/**
 * A request that no process took is sent again, as a cluster would send it to a ready pod: nobody listens, or the answer is 503
 * with Retry-After. Whatever a server took and did not answer is a failure. While there is no server at all a request waits for
 * one, and its time limit with it: a server that is started again takes as long as its model needs to load.
 */
export function createInferClient(options: InferClientOptions): InferClient {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const path = `/v2/models/${encodeURIComponent(options.modelName)}/infer`;
  const { clock } = options;
  let turn = 0;
  let isOver = false;

  const once = async (
    dataUrl: string,
    { rows, startMs, ...body }: Sending,
  ): Promise<InferOutcome> => {
    const { timeoutMs } = options;
    options.onAttempt?.(dataUrl);
    const outcome = await post(new URL(path, dataUrl), { agent, timeoutMs, ...body })
      .then((reply) =>
        toOutcome(reply, () => options.codec.decode(reply.headerLength, reply.body, rows)),
      )
      .catch((error: unknown): InferOutcome => ({
        ok: false,
        code: codeOf(error),
        message: errorText(error),
      }));
    return outcome.ok ? { ...outcome, latencyMs: clock.monotonicMs() - startMs } : outcome;
  };

  const untilTaken = async (sending: Sending): Promise<InferOutcome> => {
    let waitedMs = 0;
    for (let refusals = 0; ;) {
      // Chosen in the turn in which it is sent: a server may be killed in between.
      const urls = options.dataUrls();
      const place = sending.clip === null ? turn++ : placeOf(sending.clip) + refusals;
      const dataUrl = urls[place % Math.max(1, urls.length)];
      const sentMs = clock.monotonicMs();
      if (dataUrl === undefined) {
        if (isOver) return NOBODY;
        await wait(NOBODY_MS);
        waitedMs += clock.monotonicMs() - sentMs;
        continue;
      }
      const outcome = await once(dataUrl, sending);
      const spentMs = clock.monotonicMs() - sending.startMs - waitedMs;
      const isLate = isOver || spentMs + REFUSED_MS > options.timeoutMs;
      const end = endOf(outcome, isLate);
      options.onSettled?.({ dataUrl, sentMs, end });
      if (end !== 'SentAgain') return outcome;
      refusals += 1;
      if (refusals >= urls.length) await wait(REFUSED_MS);
    }
  };

  return {
    infer: (rows, mode, clip = null) => {
      const startMs = clock.monotonicMs();
      const headers = headersOf(options.sourceHeader, clip);
      const body = options.codec.encode(rows, mode);
      return untilTaken({ rows: rows.length, clip, headers, startMs, ...body });
    },
    giveUp: () => {
      isOver = true;
    },
    close: () => {
      isOver = true;
      agent.destroy();
    },
  };
}

const NOBODY: InferOutcome = { ok: false, code: 'no_server', message: 'there is no server' };
const REFUSALS: ReadonlySet<string> = new Set(['econnrefused', 'http_503']);

function endOf(outcome: InferOutcome, isLate: boolean): SettledRequest['end'] {
  if (outcome.ok) return 'Answered';
  return REFUSALS.has(outcome.code) && !isLate ? 'SentAgain' : 'Failed';
}

interface Sending extends Omit<Posting, 'agent' | 'timeoutMs'> {
  readonly rows: number;
  readonly clip: string | null;
  readonly startMs: number;
}

/** Longer names are no sources to a server. */
const MAX_NAME_LENGTH = 256;

/** Names of folders may have letters that no header takes; those that are too long differ at their ends. */
function headersOf(header: string | null, clip: string | null): Posting['headers'] {
  if (header === null || clip === null) return {};
  return { [header]: encodeURIComponent(clip).slice(-MAX_NAME_LENGTH) };
}

/** Where a clip's frames go: a server remembers those that it has seen. */
function placeOf(clip: string): number {
  return createHash('sha256').update(clip).digest().readUInt32LE();
}

function toOutcome(reply: Reply, decode: () => InferAnswer): InferOutcome {
  return reply.status === 200
    ? { ok: true, answer: decode(), latencyMs: 0 }
    : { ok: false, code: `http_${reply.status}`, message: reply.body.toString('utf8', 0, 512) };
}

interface Posting {
  readonly agent: Agent;
  readonly headerLength: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
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
        ...posting.headers,
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
