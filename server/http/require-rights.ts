import type { RequestHandler } from 'express';
import { ServingError, shown } from '../errors.ts';
import type { PeerBook, Rights } from '../admin/peer-book.ts';

/** What a trainer reads: rows, and of which backbone they are. */
const TRAINER_READS: ReadonlySet<string> = new Set(['/v1/samples', '/v1/state']);

/** What only a trainer has a use for: input rows of requests. */
const INPUTS = '/v1/inputs';

function mayCall(rights: Rights | null, method: string, path: string): boolean {
  switch (rights) {
    case 'machine':
      return true;
    case 'all':
      return path !== INPUTS;
    case 'samples':
      if (path === INPUTS) return method === 'GET' || method === 'DELETE';
      return method === 'GET' && TRAINER_READS.has(path);
    case null:
      return false;
  }
}

/**
 * Lets the operator do everything but read inputs, and the trainer read its two paths and, where there are any, read and delete inputs;
 * the first thing that every admin request passes.
 */
export function requireRights(peers: PeerBook): RequestHandler {
  return (request, _, next) => {
    const rights = peers.rightsOf(request);
    if (!mayCall(rights, request.method, request.path)) {
      throw new ServingError('forbidden', {
        caller: rights === null ? 'A web page' : 'The key of this certificate',
        method: request.method,
        path: shown(request.path),
      });
    }
    next();
  };
}
