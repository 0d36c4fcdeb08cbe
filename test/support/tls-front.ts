// TLS in front of a plain port of this machine, by a certificate that can be changed: what renews certificates, or forgets to.
import { readFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

/** PEM files. */
interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface TlsFront {
  readonly url: string;
  /** Of connections from now on; those that are open are reset. */
  show(certificate: CertificateFiles): void;
  close(): Promise<void>;
}

export async function startTlsFront(
  plainPort: number,
  certificate: CertificateFiles,
): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const read = ({ certPath, keyPath }: CertificateFiles) => ({
    cert: readFileSync(certPath),
    key: readFileSync(keyPath),
  });
  const server = createServer(read(certificate), (secure) => {
    const plain = connect(plainPort, '127.0.0.1');
    for (const socket of [secure, plain]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    secure.on('close', () => plain.destroy());
    plain.on('close', () => secure.destroy());
    secure.pipe(plain).pipe(secure);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  // A client that does not trust the certificate breaks the handshake off.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    show: (next) => {
      server.setSecureContext(read(next));
      cut();
    },
    close: () => {
      cut();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
