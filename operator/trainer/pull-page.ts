import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from '../fleet/admin-client.ts';

/** Rows of a page. */
const ROWS_PER_PAGE = 1_000;
const CALL_DEADLINE_MS = 15_000;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;

/** A page of what a server recorded. @param path that of the list, @param query which rows */
export async function pullPage<T>(
  client: AdminClient,
  { path, query }: { readonly path: string; readonly query: string },
  parse: (bytes: Uint8Array) => Result<T>,
): Promise<Result<T>> {
  const answer = await client.call({
    method: 'GET',
    path: `${path}?${query}&max=${ROWS_PER_PAGE}`,
    deadlineMs: CALL_DEADLINE_MS,
    maxBytes: MAX_PAGE_BYTES,
  });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal(`GET ${path}`, answer.value);
  return parse(answer.value.body);
}
