// Everything that a server asks of others ends here: a host that tells back whatever it was told, as a careless or hostile one would,
// under every status that it likes.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestListener } from 'node:http';

/** Refuses, and repeats headers, address and body in its own words and in its reason. */
export const echo: RequestListener = (request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const told = JSON.stringify({ url: request.url, headers: request.headers, body });
    response.writeHead(403, `No ${String(request.headers.authorization)}`.slice(0, 500), {
      'content-type': 'application/xml',
      // A registry tells by it where tokens are to be had.
      'x-told': told.slice(0, 4_000).replaceAll(/[^\x20-\x7e]/g, '?'),
    });
    response.end(`<Error><Code>AccessDenied</Code><Message>${told}</Message></Error>`);
  });
};

/** A proxy that refuses every tunnel with what it was told. */
export async function startEchoingProxy(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer();
  server.on('connect', (request, socket) => {
    const told = JSON.stringify(request.headers);
    socket.end(`HTTP/1.1 407 No ${told}\r\ncontent-length: ${told.length}\r\n\r\n${told}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
