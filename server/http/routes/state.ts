import { Router } from 'express';
import { serializeLoadingState } from '../../../crds/wire/loading-state.ts';
import { serializeServerState } from '../../../crds/wire/state.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondJson } from '../respond.ts';

/** GET /v1/state: the whole state, or how far the loading of the backbone is and what keeps it. */
export function stateRoute({
  loaded,
  state,
  loading,
}: Pick<AdminAppDependencies, 'loaded' | 'state' | 'loading'>): Router {
  const router = Router();
  router.get('/v1/state', (_, response) => {
    const model = loaded();
    const text =
      model === null ? serializeLoadingState(loading()) : serializeServerState(state(model));
    respondJson(response, 200, text);
  });
  router.all('/v1/state', methodNotAllowed('GET'));
  return router;
}
