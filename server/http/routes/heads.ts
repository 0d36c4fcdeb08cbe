import { Router } from 'express';
import { WIRE_LIMITS } from '../../../crds/wire/limits.ts';
import { ServingError, shown } from '../../errors.ts';
import { HEAD_REVISION_PATTERN } from '../../store/head-files.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { readBody } from '../read-body.ts';
import { respondEmpty, respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';

const LIMITS = { maxBytes: WIRE_LIMITS.headBundleBytes, timeoutMs: 60_000 };

/** PUT, DELETE /v1/heads/{sha256:...} and GET /v1/heads. The digest is the name, so a repeated PUT changes nothing. */
export function headRoutes({ loaded }: Pick<AdminAppDependencies, 'loaded'>): Router {
  const router = Router();
  router.get('/v1/heads', (_, response) => {
    const { heads, applier } = requireLoaded(loaded);
    const list = heads
      .list()
      .map((head) => ({ ...head, inUse: applier.isInUse(head.headRevision) }));
    respondJson(response, 200, JSON.stringify({ heads: list }));
  });
  router.put('/v1/heads/:digest', async (request, response) => {
    const { heads, applier, safety } = requireLoaded(loaded);
    const headRevision = parseDigest(request.params.digest);
    const body = await readBody(request, LIMITS);
    safety.heard();
    const result = await heads.put(headRevision, body);
    await applier.headArrived(headRevision);
    const text = JSON.stringify({ headRevision, result });
    respondJson(response, result === 'Stored' ? 201 : 200, text);
  });
  router.delete('/v1/heads/:digest', async (request, response) => {
    const { heads, applier } = requireLoaded(loaded);
    const headRevision = parseDigest(request.params.digest);
    if (applier.isInUse(headRevision))
      throw new ServingError('head_in_use', { value: headRevision });
    await heads.remove(headRevision);
    respondEmpty(response, 204);
  });
  router.all('/v1/heads', methodNotAllowed('GET'));
  router.all('/v1/heads/:digest', methodNotAllowed('PUT, DELETE'));
  return router;
}

/** `sha256:<hex>`, or the 64 digits alone. Nothing else ever reaches the file system. */
function parseDigest(text: string): string {
  const headRevision = text.startsWith('sha256:') ? text : `sha256:${text}`;
  if (HEAD_REVISION_PATTERN.test(headRevision)) return headRevision;
  throw new ServingError('head_not_found', { value: shown(text) });
}
