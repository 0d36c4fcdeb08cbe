import { Router } from 'express';
import { encodeSampleBatch } from '../../../crds/wire/samples.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { requireLoaded } from './loaded.ts';
import { queryChoice, queryCount } from './query.ts';

const ROWS_PER_READ = 2_000;

/** GET /v1/samples?part=long|recent&after=SEQ&max=N: the rows after SEQ, binary. */
export function sampleRoute({ loaded }: Pick<AdminAppDependencies, 'loaded'>): Router {
  const router = Router();
  router.get('/v1/samples', (request, response) => {
    const { samples } = requireLoaded(loaded);
    const part = queryChoice(request.query.part, 'part', ['long', 'recent']);
    const after = queryCount(request.query.after, 'after', 0);
    const max = queryCount(request.query.max, 'max', ROWS_PER_READ);
    const body = encodeSampleBatch(samples.read(part, after, max));
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': body.length,
    });
    response.end(body);
  });
  router.all('/v1/samples', methodNotAllowed('GET'));
  return router;
}
