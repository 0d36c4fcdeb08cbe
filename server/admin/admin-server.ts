import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer } from 'node:https';
import { constants } from 'node:crypto';
import type { Peer, PeerRights } from '../../crds/wire/peers.ts';
import type { Clock } from '../clock.ts';
import { HTTP_LIMITS } from '../http/http-server.ts';
import type { AdminIdentity } from './admin-identity.ts';
import { checkPeer } from './check-peer.ts';

/** Who is behind a connection; null: nobody who was let in. */
export interface PeerBook {
  rightsOf(socket: Socket): PeerRights | null;
}

/** The admin port on loopback: who can reach it owns the machine. */
export const LOOPBACK_PEERS: PeerBook = { rightsOf: () => 'all' };

export interface AdminServerOptions {
  readonly identity: AdminIdentity;
  readonly clock: Clock;
  readonly onRefused: (problem: string) => void;
  readonly createApp: (peers: PeerBook) => RequestListener;
}

const HANDSHAKE_TIMEOUT_MS = 5_000;
/** One operator and a few trainers, each with a handful of connections. */
const MAX_CONNECTIONS = 64;

/**
 * The admin port over mutual TLS 1.3. Certificates are self-signed, so no chain is asked for: a caller whose key is not pinned is
 * cut off before a byte of HTTP is read. Nothing of TLS is asked of a socket after this handler: Node 20 crashes when protocol or
 * cipher are read once a handshake has failed.
 */
export function createAdminServer(options: AdminServerOptions): Server {
  const { identity, clock, onRefused, createApp } = options;
  const known = new WeakMap<Socket, Peer>();
  const server = createServer({
    ...HTTP_LIMITS,
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
  server.prependListener('secureConnection', (socket) => {
    const verdict = checkPeer(socket.getPeerX509Certificate(), identity.peers, clock.nowMs());
    if (verdict.ok) {
      known.set(socket, verdict.peer);
      return;
    }
    onRefused(verdict.problem);
    socket.destroy();
  });
  server.on('tlsClientError', (error) => {
    onRefused(`handshake failed: ${error.message}`);
  });
  server.on('request', createApp({ rightsOf: (socket) => known.get(socket)?.rights ?? null }));
  return server;
}
