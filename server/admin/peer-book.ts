import type { IncomingMessage } from 'node:http';
import type { PeerRights } from '../../crds/wire/peers.ts';

/** What a caller may do. `machine`: whoever is on this machine, where the port is on loopback. */
export type Rights = PeerRights | 'machine';

/** Who is behind a request; null: nobody who may call anything. */
export interface PeerBook {
  rightsOf(request: IncomingMessage): Rights | null;
}

const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

/**
 * The admin port on loopback: who can reach it owns the machine, except for pages in a browser on it. The browser says where a page
 * comes from, and one whose name was turned to this address says that name as the host.
 */
export const LOOPBACK_PEERS: PeerBook = {
  rightsOf: ({ headers }) => {
    const site = headers['sec-fetch-site'] ?? 'none';
    const isPage = headers.origin !== undefined || site !== 'none';
    return !isPage && LOOPBACK_HOST.test(headers.host ?? '') ? 'machine' : null;
  },
};
