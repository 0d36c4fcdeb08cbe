import { Router } from 'express';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondJson } from '../respond.ts';

/** POST /v1/drain: readiness off, new requests are refused, answers when idle. */
export function drainRoute({ drain }: Pick<AdminAppDependencies, 'drain'>): Router {
  const router = Router();
  router.post('/v1/drain', async (_, response) => {
    await drain();
    respondJson(response, 200, JSON.stringify({ drained: true }));
  });
  router.all('/v1/drain', methodNotAllowed('POST'));
  return router;
}
