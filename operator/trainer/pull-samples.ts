import { setTimeout as wait } from 'node:timers/promises';
import type { Result } from '../../crds/wire/result.ts';
import { parseSampleBatch, type SampleBatch } from '../../crds/wire/samples.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import { createAdminClient, type AdminClient } from '../fleet/admin-client.ts';
import { pullState } from '../fleet/pull-state.ts';
import type { TrainerJob } from './config.ts';
import { pullPage } from './pull-page.ts';
import { thinBatch } from './thin-batch.ts';

/** Samples of all servers that answered, and the state of one of them: same backbone, same costs. */
export interface PulledSamples {
  readonly state: ServerState;
  readonly batches: readonly SampleBatch[];
  /** One sentence per server that gave nothing. */
  readonly missing: readonly string[];
}

/** Rows that training uses at most, over all servers (exits.md 2). */
const MAX_ROWS = 50_000;
/** A server that answers but never ends is left after this many calls: more than its recorder holds. */
const MAX_CALLS = 100;
const ATTEMPTS = 3;

interface Source {
  readonly client: AdminClient;
  readonly state: ServerState;
}

/**
 * Pulls the rows of a job from its servers, in proportion to what each of them has when together they have more than 50,000.
 * A server that does not answer three times gives what it gave; that none gives anything for want of answers is an error.
 */
export async function pullSamples(
  job: Pick<TrainerJob, 'servers' | 'part' | 'after'>,
  onProgress: (rows: number) => void,
  connect: (baseUrl: string) => AdminClient = createAdminClient,
): Promise<Result<PulledSamples>> {
  const clients = job.servers.map(connect);
  try {
    return await pullFrom(clients, job, onProgress);
  } finally {
    for (const client of clients) client.close();
  }
}

/** A fleet that is busy with a roll, or starved for a minute, costs no training. */
const PAUSES_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000];

/** How a job bears servers of which none answers. */
export interface PullPatience {
  readonly connect: (baseUrl: string) => AdminClient;
  /** Hears of each try that will be repeated. */
  readonly onTrouble: (message: string) => void;
  /** Between tries. @defaultValue a minute in all */
  readonly pausesMs?: readonly number[];
}

/** The same, again while no server answers. */
export async function pullPatiently(
  job: Pick<TrainerJob, 'servers' | 'part' | 'after'>,
  onProgress: (rows: number) => void,
  { connect, onTrouble, pausesMs = PAUSES_MS }: PullPatience,
): Promise<Result<PulledSamples>> {
  for (const pauseMs of pausesMs) {
    const pulled = await pullSamples(job, onProgress, connect);
    if (pulled.ok) return pulled;
    onTrouble(pulled.message);
    await wait(pauseMs);
  }
  return pullSamples(job, onProgress, connect);
}

async function pullFrom(
  clients: readonly AdminClient[],
  job: Pick<TrainerJob, 'part' | 'after'>,
  onProgress: (rows: number) => void,
): Promise<Result<PulledSamples>> {
  const missing: string[] = [];
  const sources: Source[] = [];
  for (const client of clients) {
    const answer = await repeated(() => pullState(client));
    if (answer.ok) sources.push({ client, state: answer.value });
    else missing.push(answer.message);
  }
  const first = sources[0];
  if (first === undefined) {
    return { ok: false, code: 'NoServer', message: `No server answered: ${missing.join('; ')}.` };
  }
  const held = sources.reduce((sum, { state }) => sum + state.samples[job.part], 0);
  const share = Math.min(1, MAX_ROWS / Math.max(1, held));
  const batches: SampleBatch[] = [];
  let rows = 0;
  for (const source of sources) {
    const problem = await pullOne(source, job, (batch) => {
      const kept = thinBatch(batch, share);
      batches.push(kept);
      rows += kept.rowCount;
      onProgress(rows);
    });
    if (problem !== null) missing.push(problem);
  }
  if (rows === 0 && missing.length === clients.length) {
    // Servers that told their state and then gave nothing are no lack of traffic.
    return {
      ok: false,
      code: 'NoServer',
      message: `No server gave its rows: ${missing.join('; ')}.`,
    };
  }
  return { ok: true, value: { state: first.state, batches, missing } };
}

/** Pages through one server until nothing is left; the sentence says why it stopped early. */
async function pullOne(
  { client, state }: Source,
  { part, after }: Pick<TrainerJob, 'part' | 'after'>,
  onBatch: (batch: SampleBatch) => void,
): Promise<string | null> {
  let from =
    after.find(({ podUid, bootId }) => podUid === state.podUid && bootId === state.bootId)?.seq ??
    0;
  for (let call = 0; call < MAX_CALLS; call++) {
    const page = { path: '/v1/samples', query: `part=${part}&after=${from}` };
    const answer = await repeated(() => pullPage(client, page, parseSampleBatch));
    if (!answer.ok) return answer.message;
    if (answer.value.rowCount === 0 || answer.value.nextAfter <= from) return null;
    onBatch(answer.value);
    from = answer.value.nextAfter;
  }
  return `${client.baseUrl} did not come to an end after ${MAX_CALLS} calls`;
}

/** Reads are safe to repeat at once: each has its own deadline, and a server that is down refuses quickly. */
async function repeated<T>(read: () => Promise<Result<T>>): Promise<Result<T>> {
  let result = await read();
  for (let attempt = 1; attempt < ATTEMPTS && !result.ok; attempt++) result = await read();
  return result;
}
