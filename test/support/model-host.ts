// A host that serves files over TLS or plain HTTP on loopback, and a resolver that makes any name lead there.
import { generateKeyPairSync } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createCertificate } from '../../operator/fleet/identity/certificate.ts';
import { systemClock } from '../../operator/clock.ts';

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
  const { privateKey } = generateKeyPairSync('ed25519');
  const nowMs = systemClock.nowMs();
  const ca = createCertificate({
    key: privateKey,
    commonName: name,
    notBeforeMs: nowMs - 3_600_000,
    notAfterMs: nowMs + 3_600_000,
  });
  const listener: RequestListener = (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push([method, url, headers.authorization ?? ''].join(' ').trim());
    handle(request, response);
  };
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
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
