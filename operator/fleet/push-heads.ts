import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from './admin-client.ts';

const UPLOAD_DEADLINE_MS = 30_000;

/** Stores a head bundle on a server; repeating it is harmless. `headRevision` is `sha256:<64 hex>`. */
export async function pushHeads(
  client: AdminClient,
  headRevision: string,
  bytes: Uint8Array,
): Promise<Result<null>> {
  const path = `/v1/heads/${headRevision.replace('sha256:', '')}`;
  const answer = await client.call({
    method: 'PUT',
    path,
    body: bytes,
    contentType: 'application/octet-stream',
    deadlineMs: UPLOAD_DEADLINE_MS,
  });
  if (!answer.ok) return answer;
  return answer.value.status < 300
    ? { ok: true, value: null }
    : refusal(`PUT ${path}`, answer.value);
}
