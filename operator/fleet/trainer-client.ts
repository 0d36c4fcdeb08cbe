import { z } from 'zod';
import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from './admin-client.ts';

const trainerState = z.object({
  state: z.enum(['Pulling', 'Training', 'Uploading', 'Done', 'Failed']),
  progress: z.number().min(0).max(1),
  message: z.string().max(4096),
  outcome: z.enum(['Trained', 'NotBetter', 'TooFewRows']).nullable(),
  digest: z.string().max(80).nullable(),
  sizeBytes: z.number().nullable(),
  // Trainers of the version before know no stores.
  uri: z.string().max(1024).nullable().default(null),
  failure: z.enum(['UploadFailed']).nullable().default(null),
  rows: z.number().nullable(),
  durationSeconds: z.number().nullable(),
  summary: z.unknown(),
});

/** Where a trainer stands; `outcome` and `digest` mean something once it is Done. */
export type TrainerState = z.infer<typeof trainerState>;

export async function pullTrainerState(client: AdminClient): Promise<Result<TrainerState>> {
  const answer = await client.call({ method: 'GET', path: '/v1/state' });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal('GET /v1/state', answer.value);
  return parseTrainerState(answer.value.body.toString('utf8'));
}

function parseTrainerState(text: string): Result<TrainerState> {
  try {
    const parsed = trainerState.safeParse(JSON.parse(text));
    if (parsed.success) return { ok: true, value: parsed.data };
    return {
      ok: false,
      code: 'BadAnswer',
      message: `the trainer's state: ${z.prettifyError(parsed.error)}`,
    };
  } catch {
    return { ok: false, code: 'BadAnswer', message: "the trainer's state is not JSON" };
  }
}

/** Tells the trainer that its bundle was taken over: it ends with 0. */
export async function sendDone(client: AdminClient): Promise<Result<null>> {
  const answer = await client.call({ method: 'POST', path: '/v1/done' });
  if (!answer.ok) return answer;
  return answer.value.status < 300
    ? { ok: true, value: null }
    : refusal('POST /v1/done', answer.value);
}
