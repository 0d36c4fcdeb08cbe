import { Router } from 'express';
import { z } from 'zod';
import { WIRE_LIMITS } from '../../../crds/wire/limits.ts';
import { ServingError, shown } from '../../errors.ts';
import { parseJson } from '../../net/parse-json.ts';
import { HEAD_REVISION_PATTERN } from '../../store/head-files.ts';
import type { AdminAppDependencies } from '../admin-app.ts';
import { methodNotAllowed } from '../error-handler.ts';
import { readBody } from '../read-body.ts';
import { respondEmpty, respondJson } from '../respond.ts';
import { requireLoaded } from './loaded.ts';

const bring = z.strictObject({ uri: z.string().min(1).max(1024) });
const BRING_LIMITS = { maxBytes: 4_096, timeoutMs: 10_000 };
const LIMITS = { maxBytes: WIRE_LIMITS.headBundleBytes, timeoutMs: 60_000 };

/**
 * PUT, POST, GET, DELETE /v1/heads/{sha256:...} and GET /v1/heads. The digest is the name, so a repeated PUT changes nothing. POST
 * has the server bring the bundle from `{"uri": ...}`, with the credentials that only it has; GET gives it to whoever has none.
 */
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
  router.post('/v1/heads/:digest', async (request, response) => {
    const { remote, applier, safety } = requireLoaded(loaded);
    const headRevision = parseDigest(request.params.digest);
    const { uri } = parseBring(await readBody(request, BRING_LIMITS));
    safety.heard();
    const brought = await remote.bring({ headRevision, uri });
    if (brought.ok) await applier.headArrived(headRevision);
    const { reason, message } = brought.ok ? { reason: '', message: '' } : brought.problem;
    const result = brought.ok ? 'Stored' : 'Missing';
    respondJson(response, 200, JSON.stringify({ headRevision, result, reason, message }));
  });
  router.get('/v1/heads/:digest', async (request, response) => {
    const { heads } = requireLoaded(loaded);
    const headRevision = parseDigest(request.params.digest);
    const bytes = await heads.read(headRevision);
    if (bytes === null) throw new ServingError('head_not_found', { value: headRevision });
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes.length,
    });
    response.end(bytes);
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
  router.all('/v1/heads/:digest', methodNotAllowed('GET, PUT, POST, DELETE'));
  return router;
}

function parseBring(body: Uint8Array): z.infer<typeof bring> {
  const text = Buffer.from(body).toString('utf8');
  const parsed = bring.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ServingError('malformed_request', {
    field: 'the body',
    value: shown(text),
    fix: 'send {"uri": "s3://..."} or {"uri": "oci://..."}.',
  });
}

/** `sha256:<hex>`, or the 64 digits alone. Nothing else ever reaches the file system. */
function parseDigest(text: string): string {
  const headRevision = text.startsWith('sha256:') ? text : `sha256:${text}`;
  if (HEAD_REVISION_PATTERN.test(headRevision)) return headRevision;
  throw new ServingError('head_not_found', { value: shown(text) });
}
