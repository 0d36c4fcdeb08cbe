import { Router, type Request } from 'express';
import { encodeInputBatch } from '../../../crds/wire/inputs.ts';
import { ServingError } from '../../errors.ts';
import type { InputRecorder } from '../../evidence/input-recorder.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondEmpty } from '../respond.ts';
import { requireLoaded } from './loaded.ts';
import { queryCount } from './query.ts';

const ROWS_PER_READ = 1_000;

/** GET /v1/inputs?after=SEQ&max=N: input rows after SEQ, binary, where the service holds any. DELETE forgets them all. */
export function inputRoute({ loaded }: Pick<AdminAppDependencies, 'loaded'>): Router {
  const router = Router();
  const inputsHeld = ({ method, path }: Request): InputRecorder => {
    const { inputs } = requireLoaded(loaded);
    if (inputs === null) throw new ServingError('not_found', { method, path });
    return inputs;
  };
  router.get('/v1/inputs', (request, response) => {
    const after = queryCount(request.query.after, 'after', 0);
    const max = queryCount(request.query.max, 'max', ROWS_PER_READ);
    const body = encodeInputBatch(inputsHeld(request).read(after, max));
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': body.length,
      'cache-control': 'no-store',
    });
    response.end(body);
  });
  router.delete('/v1/inputs', (request, response) => {
    inputsHeld(request).wipe();
    respondEmpty(response, 204);
  });
  router.all('/v1/inputs', methodNotAllowed('GET, DELETE'));
  return router;
}
