import { Router } from 'express';
import { serializeEvidenceAnswer } from '../../../crds/wire/evidence.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';
import { queryChoice, queryCount } from './query.ts';

/** GET /v1/evidence?after=SEQ[&close=true]: with close, everything answered so far is in the windows. */
export function evidenceRoute(
  dependencies: Pick<AdminAppDependencies, 'loaded' | 'evidence' | 'evidenceRead'>,
): Router {
  const router = Router();
  router.get('/v1/evidence', async (request, response) => {
    const model = requireLoaded(dependencies.loaded);
    const after = queryCount(request.query.after, 'after', 0);
    const close = request.query.close;
    if (close !== undefined && queryChoice(close, 'close', ['true', 'false']) === 'true') {
      await model.windows.close();
    }
    model.safety.heard();
    const answer = dependencies.evidence(model, after);
    response.once('finish', () => {
      dependencies.evidenceRead(answer.windows);
    });
    respondJson(response, 200, serializeEvidenceAnswer(answer));
  });
  router.all('/v1/evidence', methodNotAllowed('GET'));
  return router;
}
