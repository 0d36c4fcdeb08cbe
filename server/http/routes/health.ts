import { Router } from 'express';
import type { ServerLifecycle } from '../../lifecycle.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondEmpty, respondJson } from '../respond.ts';

/** GET /v2, /v2/health/live, /v2/health/ready. */
export function healthRoutes(dependencies: {
  readonly version: string;
  readonly lifecycle: ServerLifecycle;
}): Router {
  const router = Router();
  const metadata = JSON.stringify({
    name: 'layercache',
    version: dependencies.version,
    extensions: ['binary_tensor_data'],
  });
  router.get('/v2', (_, response) => {
    respondJson(response, 200, metadata);
  });
  router.get('/v2/health/live', (_, response) => {
    respondEmpty(response, 200);
  });
  router.get('/v2/health/ready', (_, response) => {
    respondEmpty(response, dependencies.lifecycle.isReady() ? 200 : 503);
  });
  for (const path of ['/v2', '/v2/health/live', '/v2/health/ready']) {
    router.all(path, methodNotAllowed('GET'));
  }
  return router;
}
