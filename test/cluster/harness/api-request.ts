import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';

export interface ApiAnswer {
  readonly status: number;
  /** The parsed JSON, or the text when it is none (logs). */
  readonly body: unknown;
}

export interface ApiCall {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

export type ApiRequest = (call: ApiCall) => Promise<ApiAnswer>;

export interface ApiCredential {
  readonly url: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
}

/**
 * The tests' own way to the API server, so that a test of the operator's client never leans on that client.
 * Any status is a value; a connection that breaks or a missed deadline throws.
 */
export function createApiRequest(credential: ApiCredential): ApiRequest {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(credential.caPath),
    cert: readFileSync(credential.certPath),
    key: readFileSync(credential.keyPath),
  });
  return ({ method = 'GET', path, body, contentType, headers, deadlineMs = 30_000 }) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const signal = AbortSignal.timeout(deadlineMs);
      const fail = (error: Error) => {
        const late = new Error(`${method} ${path} had no answer within ${deadlineMs} ms`);
        reject(signal.aborted ? late : error);
      };
      const outgoing = httpsRequest(
        new URL(path, credential.url),
        {
          agent,
          method,
          signal,
          headers: {
            accept: 'application/json',
            ...(text === undefined
              ? {}
              : {
                  'content-type': contentType ?? 'application/json',
                  'content-length': Buffer.byteLength(text),
                }),
            ...headers,
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', fail);
          incoming.on('end', () => {
            const answer = Buffer.concat(chunks).toString();
            resolve({ status: incoming.statusCode ?? 0, body: parsed(answer) });
          });
        },
      );
      outgoing.on('error', fail);
      outgoing.end(text);
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
