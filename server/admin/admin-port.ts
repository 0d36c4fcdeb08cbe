import type { RequestListener, Server } from 'node:http';
import type { Logger } from 'pino';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { Clock } from '../clock.ts';
import type { ServerConfig } from '../config.ts';
import { closeServer, createHttpServer, listen } from '../http/http-server.ts';
import { isSameIdentity, loadAdminIdentity, type AdminIdentity } from './admin-identity.ts';
import { createAdminServer, type AdminServer } from './admin-server.ts';
import { LOOPBACK_PEERS, type PeerBook } from './peer-book.ts';

/** The admin port of a process: mutual TLS on its address with an identity, loopback without one. */
export interface AdminPort {
  /** Resolves with the port; rejects with Node's error. */
  open(): Promise<number>;
  /**
   * Reads the mounted identity again. One that was not there at the start moves the port from loopback to TLS, another one takes the
   * place of the one in force without a restart; one that is damaged or gone changes nothing.
   */
  look(): Promise<void>;
  close(withinMs: number): Promise<void>;
}

export interface AdminPortOptions {
  readonly config: Pick<ServerConfig, 'adminDir' | 'adminPort' | 'bindHost'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly createApp: (peers: PeerBook) => RequestListener;
}

const LOOPBACK = '127.0.0.1';
/** A stranger who knocks a thousand times a second is one line a minute. */
const REFUSAL_LOG_MS = 60_000;

export function createAdminPort(options: AdminPortOptions): AdminPort {
  const { config, clock, log, createApp } = options;
  let server: Server | null = null;
  let port = config.adminPort;
  let inForce: AdminIdentity | null = null;
  let secure: AdminServer | null = null;
  let toldProblem = '';
  let refused = 0;
  let toldMs = -Infinity;

  function onRefused(problem: string): void {
    refused += 1;
    const nowMs = clock.monotonicMs();
    if (nowMs - toldMs < REFUSAL_LOG_MS) return;
    toldMs = nowMs;
    log.warn({ component: 'admin', detail: problem, refused }, 'peers refused');
  }

  async function readIdentity(): Promise<AdminIdentity | null> {
    const identity = await loadAdminIdentity(config.adminDir);
    if (identity.ok) return identity.value;
    if (identity.message !== toldProblem) {
      toldProblem = identity.message;
      const { code, message } = identity;
      log.error({ component: 'admin', code, detail: message }, 'admin identity unusable');
    }
    return null;
  }

  async function openWith(identity: AdminIdentity | null): Promise<number> {
    if (identity === null) {
      server = createHttpServer(createApp(LOOPBACK_PEERS), {
        maxBodyBytes: () => WIRE_LIMITS.headBundleBytes,
      });
    } else {
      secure = createAdminServer({ identity, clock, onRefused, createApp });
      ({ server } = secure);
    }
    inForce = identity;
    port = await listen(server, port, identity === null ? LOOPBACK : config.bindHost);
    return port;
  }

  async function close(withinMs: number): Promise<void> {
    if (server !== null) await closeServer(server, withinMs);
  }

  return {
    open: async () => openWith(await readIdentity()),
    look: async () => {
      if (config.adminDir === null) return;
      const identity = await readIdentity();
      if (identity === null || (inForce !== null && isSameIdentity(identity, inForce))) return;
      if (secure !== null) {
        secure.replace(identity);
        inForce = identity;
        log.info({ component: 'admin', adminPort: port }, 'admin identity replaced');
        return;
      }
      await close(0);
      await openWith(identity);
      log.info({ component: 'admin', adminPort: port }, 'admin port speaks TLS');
    },
    close,
  };
}
