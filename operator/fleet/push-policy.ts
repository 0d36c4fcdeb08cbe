import { parseAcknowledgement, type Acknowledgement } from '../../crds/wire/acknowledgement.ts';
import { serializePolicy, type Policy } from '../../crds/wire/policy.ts';
import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from './admin-client.ts';

/** Heads are verified, warmed and swapped before the server answers. */
const APPLY_DEADLINE_MS = 60_000;

/** Pushes a whole policy; a refusal by the server (Stale, Rejected) is an acknowledgement, not a failure. */
export async function pushPolicy(
  client: AdminClient,
  policy: Policy,
): Promise<Result<Acknowledgement>> {
  const answer = await client.call({
    method: 'PUT',
    path: '/v1/policy',
    body: serializePolicy(policy),
    deadlineMs: APPLY_DEADLINE_MS,
  });
  if (!answer.ok) return answer;
  const parsed = parseAcknowledgement(answer.value.body.toString('utf8'));
  return parsed.ok ? parsed : refusal('PUT /v1/policy', answer.value);
}
