import type { RequestHandler } from 'express';
import { ServingError, shown } from '../errors.ts';
import type { PeerBook } from '../admin/peer-book.ts';

/** What a trainer reads: rows, and of which backbone they are. */
const TRAINER_READS: ReadonlySet<string> = new Set(['/v1/samples', '/v1/state']);

/** Lets the operator do everything and the trainer read its two paths; the first thing that every admin request passes. */
export function requireRights(peers: PeerBook): RequestHandler {
  return (request, _, next) => {
    const rights = peers.rightsOf(request);
    const mayCall =
      rights === 'all' ||
      (rights === 'samples' && request.method === 'GET' && TRAINER_READS.has(request.path));
    if (!mayCall) {
      throw new ServingError('forbidden', {
        caller: rights === null ? 'A web page' : 'The key of this certificate',
        method: request.method,
        path: shown(request.path),
      });
    }
    next();
  };
}
