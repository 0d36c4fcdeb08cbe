import type { Duplex } from 'node:stream';

/**
 * Which idle connections stay open. A connection over TLS holds about 80 KiB here (measured), so ten thousand pods would fill the
 * operator's memory: beyond `most` they end soon after their answer, and the next call shakes hands again (about 1.3 ms of processor
 * time). Those that stay are the first ones, not the last used: pods are asked in turn, and of a turn longer than the pool the last
 * used are never asked next.
 */
export interface KeptSockets {
  /** Whether this one may stay open while it is idle. Asked after each answer. */
  mayStay(socket: Duplex): boolean;
  readonly size: number;
}

export function createKeptSockets(most: number): KeptSockets {
  const kept = new Set<Duplex>();
  return {
    mayStay: (socket) => {
      if (kept.has(socket)) return true;
      if (kept.size >= most) return false;
      kept.add(socket);
      socket.once('close', () => kept.delete(socket));
      return true;
    },
    get size() {
      return kept.size;
    },
  };
}
