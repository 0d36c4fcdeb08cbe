import type { Result } from '../../crds/wire/result.ts';
import { parseServerState, type ServerState } from '../../crds/wire/state.ts';
import { refusal, type AdminClient } from './admin-client.ts';

/** The whole state of one server. */
export async function pullState(client: AdminClient): Promise<Result<ServerState>> {
  const answer = await client.call({ method: 'GET', path: '/v1/state' });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal('GET /v1/state', answer.value);
  return parseServerState(answer.value.body.toString('utf8'));
}
