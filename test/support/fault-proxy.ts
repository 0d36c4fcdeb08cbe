// Stands between a client and a real API server and breaks what a test tells it to. Plain HTTP on the client's side.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { kubeconfigFor } from './kube-fake-server.ts';

export type ProxyFault =
  /** Answered by the proxy, never forwarded. */
  | {
      readonly kind: 'Answer';
      readonly status: number;
      readonly body: unknown;
      readonly retryAfter?: string;
    }
  /** 200 and a text that no API server would write: what a proxied pod says. */
  | { readonly kind: 'Text'; readonly text: string }
  /** 200 and these lines, then a clean end: what a watch gets. */
  | { readonly kind: 'Lines'; readonly lines: readonly unknown[] }
  /** Connection reset, nothing forwarded. */
  | { readonly kind: 'Reset' }
  /** Neither forwarded nor answered. */
  | { readonly kind: 'Silence' }
  /** Forwarded and done; the answer is lost with the connection. */
  | { readonly kind: 'LoseAnswer' };

export interface ProxiedRequest {
  readonly method: string;
  readonly target: string;
  readonly isWatch: boolean;
}

export interface FaultProxy {
  readonly kubeconfig: string;
  /** Where it listens. */
  readonly url: string;
  readonly requests: readonly ProxiedRequest[];
  /** Asked for every request; null: forward it. */
  onRequest: (request: ProxiedRequest) => ProxyFault | null;
  /** Where requests go from now on. */
  target: string;
  /** Resets every open connection of clients. */
  cut(): void;
  /** Keeps answers that are on their way, open watches above all, from passing on; connections stay. */
  mute(isMuted: boolean): void;
  close(): Promise<void>;
}

export interface Upstream {
  readonly url: string;
  readonly ca: string;
  readonly adminCert: string;
  readonly adminKey: string;
}

export async function startFaultProxy(upstream: Upstream): Promise<FaultProxy> {
  const { ca, adminCert: cert, adminKey: key } = upstream;
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  const requests: ProxiedRequest[] = [];
  const sockets = new Set<Socket>();
  let isMuted = false;

  const forward = (
    incoming: IncomingMessage,
    response: ServerResponse,
    losesAnswer: boolean,
  ): void => {
    // The proxy authenticates as the administrator; the client's own token is for the proxy.
    const headers = { ...incoming.headers, host: undefined, authorization: undefined };
    const { method, url: path = '/' } = incoming;
    const kept = Object.fromEntries(
      Object.entries(headers).filter(([, value]) => value !== undefined),
    );
    const outgoing = httpsRequest(
      new URL(path, proxy.target),
      { agent, method, headers: kept },
      (answer) => {
        if (!losesAnswer) response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.on('data', (chunk: Buffer) => {
          if (!losesAnswer && !isMuted) response.write(chunk);
        });
        answer.on('end', () => {
          if (losesAnswer) response.socket?.resetAndDestroy();
          else if (!isMuted) response.end();
        });
        answer.on('error', () => response.socket?.resetAndDestroy());
        if (!losesAnswer) response.flushHeaders();
      },
    );
    outgoing.on('error', () => response.socket?.resetAndDestroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };
  const http = createServer((incoming, response) => {
    const { method = 'GET', url: target = '/' } = incoming;
    const request = { method, target, isWatch: /[?&]watch=true/.test(target) };
    requests.push(request);
    const fault = proxy.onRequest(request);
    if (fault === null || fault.kind === 'LoseAnswer') forward(incoming, response, fault !== null);
    else inject(fault, response);
  });
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const proxy: FaultProxy = {
    url,
    kubeconfig: kubeconfigFor(url),
    requests,
    onRequest: () => null,
    target: upstream.url,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mute: (muted) => {
      isMuted = muted;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      return new Promise((resolve) => {
        http.close(() => {
          resolve();
        });
      });
    },
  };
  return proxy;
}

function inject(
  fault: Exclude<ProxyFault, { kind: 'LoseAnswer' }>,
  response: ServerResponse,
): void {
  switch (fault.kind) {
    case 'Silence':
      return;
    case 'Reset':
      response.socket?.resetAndDestroy();
      return;
    case 'Text':
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(fault.text);
      return;
    case 'Lines':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(fault.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      return;
    case 'Answer': {
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      response.writeHead(fault.status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(fault.body));
    }
  }
}
