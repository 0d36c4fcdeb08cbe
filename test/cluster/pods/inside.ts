// Requests and connections to pods and services, which only the node's own network reaches.
import { request as httpRequest, type Agent } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { RealNode } from '../../support/real-node.ts';

export interface InsideAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface InsideRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** With one it is a POST. */
  readonly body?: string;
  /** @defaultValue a new connection for each request */
  readonly agent?: Agent;
  readonly deadlineMs?: number;
}

export function askInside(node: RealNode, request: InsideRequest): Promise<InsideAnswer> {
  const { host, port, path, body, deadlineMs = 10_000 } = request;
  const agent = request.agent ?? node.agent();
  const method = body === undefined ? 'GET' : 'POST';
  const signal = AbortSignal.timeout(deadlineMs);
  return new Promise<InsideAnswer>((resolve, reject) => {
    httpRequest({ agent, host, port, path, method, signal }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    })
      .once('error', reject)
      .end(body);
  }).finally(() => {
    if (request.agent === undefined) agent.destroy();
  });
}

export interface Forward {
  /** On this machine's loopback. */
  readonly port: number;
  close(): Promise<void>;
}

/** A port of this machine that leads to one inside, for clients that open their own connections. */
export async function forwardInside(node: RealNode, host: string, port: number): Promise<Forward> {
  const server: Server = createServer((outside) => {
    const inside = node.dial(host, port);
    outside.pipe(inside).pipe(outside);
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}
