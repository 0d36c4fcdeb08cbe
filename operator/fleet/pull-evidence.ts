import { parseEvidenceAnswer } from '../../crds/wire/evidence.ts';
import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from './admin-client.ts';

export type PulledEvidence = Extract<ReturnType<typeof parseEvidenceAnswer>, { ok: true }>['value'];

/** Evidence windows after `after`. `close` ends the open windows first, so that everything answered so far is in them. */
export async function pullEvidence(
  client: AdminClient,
  after: number,
  close: boolean,
): Promise<Result<PulledEvidence>> {
  const path = `/v1/evidence?after=${after}${close ? '&close=true' : ''}`;
  const answer = await client.call({ method: 'GET', path });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal(`GET ${path}`, answer.value);
  return parseEvidenceAnswer(answer.value.body.toString('utf8'));
}
