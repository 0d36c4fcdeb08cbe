import { Router } from 'express';
import { serializeServerState } from '../../../crds/wire/state.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';

/** GET /v1/state. */
export function stateRoute({
  loaded,
  state,
}: Pick<AdminAppDependencies, 'loaded' | 'state'>): Router {
  const router = Router();
  router.get('/v1/state', (_, response) => {
    respondJson(response, 200, serializeServerState(state(requireLoaded(loaded))));
  });
  router.all('/v1/state', methodNotAllowed('GET'));
  return router;
}
