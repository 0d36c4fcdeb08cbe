import { parsePodState, type PodState } from '../../crds/wire/loading-state.ts';
import type { Result } from '../../crds/wire/result.ts';
import { parseServerState, type ServerState } from '../../crds/wire/state.ts';
import { refusal, type AdminAnswer, type AdminClient } from './admin-client.ts';

/** The whole state of a server that has its backbone. */
export async function pullState(client: AdminClient): Promise<Result<ServerState>> {
  const answer = await getState(client);
  return answer.ok ? parseServerState(answer.value.body.toString('utf8')) : answer;
}

/** What a pod says of itself, also while it loads its backbone. */
export async function pullPodState(client: AdminClient): Promise<Result<PodState>> {
  const answer = await getState(client);
  return answer.ok ? parsePodState(answer.value.body.toString('utf8')) : answer;
}

async function getState(client: AdminClient): Promise<Result<AdminAnswer>> {
  const answer = await client.call({ method: 'GET', path: '/v1/state' });
  if (!answer.ok) return answer;
  return answer.value.status === 200 ? answer : refusal('GET /v1/state', answer.value);
}
