// A host that serves files over TLS or plain HTTP on loopback, and a resolver that makes any name lead there.
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { hostCertificate } from './host-certificate.ts';

export interface ModelHost {
  readonly url: (path: string) => string;
  readonly port: number;
  /** PEM of the certificate, which is its own CA. */
  readonly ca: string;
  /** What was asked, in order: method, path and authorization. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function startModelHost(
  handle: RequestListener,
  {
    name = 'models.test',
    secure = true,
  }: { readonly name?: string; readonly secure?: boolean } = {},
): Promise<ModelHost> {
  const asked: string[] = [];
  const { key, ca } = hostCertificate(name);
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push([method, url, headers.authorization ?? ''].join(' ').trim());
    handle(request, response);
  };
  const server: Server = secure
    ? createHttpsServer({ key, cert: ca }, listener)
    : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `${secure ? 'https' : 'http'}://${name}:${port}${path}`,
    port,
    ca,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
