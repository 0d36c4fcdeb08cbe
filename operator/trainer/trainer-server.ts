import { constants } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Clock } from '../clock.ts';
import { findPinProblem } from '../fleet/identity/check-pin.ts';
import type { TrainerIdentity } from './trainer-identity.ts';

const LIMITS = { requestTimeout: 10_000, headersTimeout: 5_000 };
const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 16;

/**
 * The port of a trainer: mutual TLS 1.3 with pinned peers, plain HTTP without an identity. Whose key is not pinned is cut off
 * before a byte of HTTP is read; nothing of TLS is asked of a socket later (Node 20 crashes after a failed handshake).
 */
export function createTrainerServer(
  identity: TrainerIdentity | null,
  app: RequestListener,
  clock: Pick<Clock, 'nowMs'>,
): Server {
  if (identity === null) return createHttpServer(LIMITS, app);
  const server = createHttpsServer({
    ...LIMITS,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    key: identity.key,
    cert: identity.certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: false,
    // Without tickets nobody resumes a session, so every connection proves its key.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const pins = identity.peers.map(({ spki }) => spki);
  server.prependListener('secureConnection', (socket) => {
    const problem = findPinProblem(socket.getPeerX509Certificate(), pins, clock.nowMs());
    if (problem !== null) socket.destroy();
  });
  server.on('tlsClientError', () => undefined);
  server.on('request', app);
  return server;
}
