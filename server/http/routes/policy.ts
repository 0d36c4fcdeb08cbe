import { Router } from 'express';
import { serializeAcknowledgement } from '../../../crds/wire/acknowledgement.ts';
import { WIRE_LIMITS } from '../../../crds/wire/limits.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { readBody } from '../read-body.ts';
import { respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';

const LIMITS = { maxBytes: WIRE_LIMITS.policyBytes, timeoutMs: 10_000 };

/** PUT /v1/policy. A refusal is an acknowledgement too: 200 with its result and reason. */
export function policyRoute({ loaded }: Pick<AdminAppDependencies, 'loaded'>): Router {
  const router = Router();
  router.put('/v1/policy', async (request, response) => {
    const model = requireLoaded(loaded);
    const body = await readBody(request, LIMITS);
    model.safety.heard();
    const acknowledgement = await model.applier.apply(body.toString('utf8'), 'push');
    respondJson(response, 200, serializeAcknowledgement(acknowledgement));
  });
  router.all('/v1/policy', methodNotAllowed('PUT'));
  return router;
}
