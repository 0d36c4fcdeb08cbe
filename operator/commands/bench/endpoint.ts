import { Agent, request } from 'node:http';
import { request as secureRequest, Agent as SecureAgent } from 'node:https';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';

/** One answered or failed request. */
export interface Reply {
  /** 0: none at all. */
  readonly status: number;
  readonly exit: string | null;
  readonly text: string;
}

/** An HTTP endpoint of either protocol, over kept-alive connections. */
export interface Endpoint {
  get(path: string): Promise<Reply>;
  post(path: string, body: Buffer, headers: Readonly<Record<string, string>>): Promise<Reply>;
  close(): void;
}

const TIMEOUT_MS = 30_000;

export function openEndpoint(address: string): Endpoint {
  const url = parseAddress(address);
  const isSecure = url.protocol === 'https:';
  const settings = { keepAlive: true, maxSockets: Infinity };
  const agent = isSecure ? new SecureAgent(settings) : new Agent(settings);
  const send = (
    method: string,
    path: string,
    body: Buffer | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<Reply> =>
    new Promise((resolve) => {
      const target = new URL(path, url);
      const outgoing = (isSecure ? secureRequest : request)(target, {
        method,
        agent,
        headers,
        timeout: TIMEOUT_MS,
      });
      const fail = (text: string): void => {
        resolve({ status: 0, exit: null, text });
      };
      outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
      outgoing.on('error', (error) => {
        fail(errorText(error));
      });
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', (error) => {
          fail(errorText(error));
        });
        incoming.on('end', () => {
          const exit = incoming.headers['layercache-exit'];
          resolve({
            status: incoming.statusCode ?? 0,
            exit: typeof exit === 'string' ? exit : null,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        });
      });
      outgoing.end(body ?? undefined);
    });
  return {
    get: (path) => send('GET', path, null, {}),
    post: (path, body, headers) =>
      send('POST', path, body, {
        'content-type': 'application/json',
        'content-length': String(body.byteLength),
        ...headers,
      }),
    close: () => {
      agent.destroy();
    },
  };
}

function parseAddress(address: string): URL {
  if (URL.canParse(address) && /^https?:/.test(address)) return new URL(address);
  throw new CliError('UsageError', {
    where: `--url ${address}`,
    why: 'it is no address of HTTP.',
    nextStep: 'Write for example --url http://127.0.0.1:8080.',
  });
}
