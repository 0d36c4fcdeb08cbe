import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, TLSSocket, type SecureContext } from 'node:tls';
import type { Clock } from '../clock.ts';
import type { PinCheck } from './identity/check-pin.ts';
import type { KeptSockets } from './kept-sockets.ts';

export interface PinnedAgentOptions {
  readonly host: string;
  readonly port: number;
  /** Own key, certificate, and TLS 1.3 alone: a context's versions win over those of the connection. */
  readonly secureContext: SecureContext;
  /** Of the only key that is spoken to. */
  readonly checkPin: PinCheck;
  readonly clock: Clock;
  /** Shared by the agents of all pods. */
  readonly keptSockets: KeptSockets;
}

const HANDSHAKE_MS = 5_000;
/** For the call that follows at once, as the state follows evidence: without it each of the two shakes hands. */
const LINGER_MS = 100;

type Connected = (error: Error | null, socket: Duplex) => void;

/**
 * Connections to one process that is known by its key alone. A connection is handed out only after the key was compared, so a
 * stranger at the same address gets no request, not even its first line.
 */
export class PinnedAgent extends Agent {
  private readonly pinned: PinnedAgentOptions;
  private readonly shaking = new Set<TLSSocket>();

  constructor(options: PinnedAgentOptions) {
    super({ keepAlive: true });
    this.pinned = options;
  }

  // Without a socket as return value Node waits for the callback.
  override createConnection(_: unknown, connected?: Connected): undefined {
    const { host, port, secureContext } = this.pinned;
    const socket = connect({
      host,
      port,
      secureContext,
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    this.shake(socket);
    const failed = (error: Error): void => {
      connected?.(error, socket);
    };
    socket.once('error', failed);
    // A peer that accepts and then says nothing must not keep its place for ever.
    const expired = (): void => {
      socket.destroy(new Error('it did not finish the TLS handshake'));
    };
    socket.setTimeout(HANDSHAKE_MS, expired);
    socket.once('secureConnect', () => {
      socket.removeListener('error', failed);
      // Listeners that stay as long as the connection would hold its first request and answer: 4 KiB of each of thousands.
      socket.setTimeout(0, expired);
      this.shaking.delete(socket);
      const problem = this.findProblem(socket);
      if (problem === null) {
        connected?.(null, socket);
        return;
      }
      socket.on('error', () => undefined);
      socket.destroy();
      connected?.(new Error(problem), socket);
    });
  }

  /** Apart from what hands the connection out: what listens here stays as long as the connection. */
  private shake(socket: TLSSocket): void {
    this.shaking.add(socket);
    socket.once('close', () => {
      this.shaking.delete(socket);
    });
  }

  /** Asked by Node when an answer has been read. */
  override keepSocketAlive(socket: Duplex): boolean {
    // Its types know nothing of the answer: false ends the connection.
    const keep: (idle: Duplex) => unknown = super.keepSocketAlive.bind(this);
    if (keep(socket) === false) return false;
    if (this.pinned.keptSockets.mayStay(socket)) return true;
    if (!(socket instanceof TLSSocket)) return false;
    // Node ends an idle connection that is silent for so long, and takes the limit away when the next answer has been read.
    socket.setTimeout(LINGER_MS);
    return true;
  }

  /** Node knows nothing of a socket that was not handed out yet. */
  override destroy(): void {
    super.destroy();
    for (const socket of this.shaking) socket.destroy();
  }

  private findProblem(socket: TLSSocket): string | null {
    const { checkPin, clock } = this.pinned;
    switch (checkPin(socket.getPeerX509Certificate(), clock.nowMs())) {
      case 'UnknownKey':
        return 'another key answers there; the pod is not the one that was started with this generation';
      case 'Expired':
        return 'its certificate has expired; rotate the admin keys';
      case null:
        return null;
    }
  }
}
