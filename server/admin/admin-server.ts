import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { createServer } from 'node:https';
import { constants } from 'node:crypto';
import type { Peer } from '../../crds/wire/peers.ts';
import type { Clock } from '../clock.ts';
import { HTTP_LIMITS } from '../http/http-server.ts';
import type { AdminIdentity } from './admin-identity.ts';
import { checkPeer } from './check-peer.ts';
import type { PeerBook } from './peer-book.ts';

export interface AdminServerOptions {
  readonly identity: AdminIdentity;
  readonly clock: Clock;
  readonly onRefused: (problem: string) => void;
  readonly createApp: (peers: PeerBook) => RequestListener;
}

export interface AdminServer {
  readonly server: Server;
  /** The next handshake meets this key; connections of keys that are not among its peers end at once. */
  replace(identity: AdminIdentity): void;
}

const HANDSHAKE_TIMEOUT_MS = 5_000;
/** One operator and a few trainers, each with a handful of connections. */
const MAX_CONNECTIONS = 64;

/**
 * The admin port over mutual TLS 1.3. Certificates are self-signed, so no chain is asked for: a caller whose key is not pinned is
 * cut off before a byte of HTTP is read. Nothing of TLS is asked of a socket after this handler: Node 20 crashes when protocol or
 * cipher are read once a handshake has failed.
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { clock, onRefused, createApp } = options;
  let { identity } = options;
  const known = new Map<Socket, Peer>();
  const server = createServer({
    ...HTTP_LIMITS,
    ...secrets(identity),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.prependListener('secureConnection', (socket) => {
    const verdict = checkPeer(socket.getPeerX509Certificate(), identity.peers, clock.nowMs());
    if (verdict.ok) {
      known.set(socket, verdict.peer);
      socket.once('close', () => known.delete(socket));
      return;
    }
    onRefused(verdict.problem);
    socket.destroy();
  });
  server.on('tlsClientError', (error) => {
    onRefused(`handshake failed: ${error.message}`);
  });
  const rightsOf = ({ socket }: IncomingMessage) => known.get(socket)?.rights ?? null;
  server.on('request', createApp({ rightsOf }));
  return {
    server,
    replace: (next) => {
      identity = next;
      server.setSecureContext(secrets(next));
      for (const [socket, { spki }] of known) {
        const peer = next.peers.find((one) => one.spki === spki);
        if (peer === undefined) socket.destroy();
        else known.set(socket, peer);
      }
    },
  };
}

function secrets({ key, certificate }: AdminIdentity) {
  return {
    key,
    cert: certificate,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // Without tickets nobody resumes a session, so every connection proves its key.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}
