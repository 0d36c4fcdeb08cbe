import { z } from 'zod';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { Result } from '../../crds/wire/result.ts';
import { sleep, type KubeClock } from '../kube/clock.ts';
import { refusal, type AdminAnswer, type AdminCall } from './admin-client.ts';
import { heldRevisions, type PodView } from './fleet-pod.ts';
import { verifyBundle, type VerifiedBundle } from './pull-bundle.ts';

/** A bundle in a remote store, as a revision names it. */
export interface RemoteBundle {
  readonly headRevision: string;
  readonly uri: string;
}

/** Why nobody could bring a bundle, in the words of condition Available. */
export interface BundleProblem {
  readonly reason: 'BundleMissing' | 'DigestMismatch' | 'Malformed' | 'HeadTooLarge';
  readonly message: string;
}

/**
 * Bundles of remote stores, as a cache: the operator has no credentials, so a pod brings them and gives them on. Their digest is
 * all that is believed. `key` is `namespace/name` of the service.
 */
export interface RemoteBundleStore {
  /** Brought in the background from now on; others of this service are dropped. */
  wantBundles(key: string, bundles: readonly RemoteBundle[]): void;
  /** One that is here anyway: from the trainer that made it. */
  keepBundle(key: string, bundle: VerifiedBundle): void;
  /** Null: nobody could be asked yet. */
  remoteBundle(key: string, headRevision: string): VerifiedBundle | BundleProblem | null;
  pollBundles(): Promise<void>;
  runBundles(): Promise<void>;
}

export interface RemoteBundleOptions {
  readonly clock: KubeClock;
  readonly signal: AbortSignal;
  readonly pods: (key: string) => readonly PodView[];
  readonly call: (key: string, podUid: string, call: AdminCall) => Promise<Result<AdminAnswer>>;
  readonly onChange: (key: string) => void;
}

interface Entry {
  uri: string | null;
  found: VerifiedBundle | BundleProblem | null;
  dueMs: number;
  isAsking: boolean;
  /** Another pod is asked each time. */
  attempt: number;
}

const TICK_MS = 500;
const AGAIN_MS = { unasked: 2_000, missing: 15_000 };
/** A pod goes on fetching when nobody waits any more, and is asked again. */
const BRING_MS = 10_000;
const READ_MS = 30_000;

export function createRemoteBundles(options: RemoteBundleOptions): RemoteBundleStore {
  const { clock, signal, onChange } = options;
  const services = new Map<string, Map<string, Entry>>();

  function entriesOf(key: string): Map<string, Entry> {
    const known = services.get(key) ?? new Map<string, Entry>();
    services.set(key, known);
    return known;
  }

  async function ask(key: string, headRevision: string, entry: Entry): Promise<void> {
    const { uri } = entry;
    entry.isAsking = true;
    entry.attempt += 1;
    const found = await bring(key, { headRevision, uri: uri ?? '' }, entry.attempt, options);
    entry.isAsking = false;
    const isWanted = services.get(key)?.get(headRevision) === entry && !isHeld(entry);
    if (!isWanted || signal.aborted) return;
    const before = entry.found;
    entry.found = found ?? before;
    entry.dueMs = clock.monotonicMs() + (found === null ? AGAIN_MS.unasked : AGAIN_MS.missing);
    if (JSON.stringify(toProblem(before)) !== JSON.stringify(toProblem(entry.found))) onChange(key);
  }

  async function pollBundles(): Promise<void> {
    const nowMs = clock.monotonicMs();
    const asked: Promise<void>[] = [];
    for (const [key, entries] of services) {
      for (const [headRevision, entry] of entries) {
        const isDue = entry.uri !== null && entry.dueMs <= nowMs;
        if (isDue && !entry.isAsking && !isHeld(entry)) asked.push(ask(key, headRevision, entry));
      }
    }
    await Promise.all(asked);
  }

  return {
    wantBundles: (key, bundles) => {
      const entries = entriesOf(key);
      for (const headRevision of [...entries.keys()]) {
        if (!bundles.some((one) => one.headRevision === headRevision)) entries.delete(headRevision);
      }
      for (const { headRevision, uri } of bundles) {
        const known = entries.get(headRevision);
        if (known === undefined) entries.set(headRevision, { ...newEntry(clock), uri });
        else known.uri = uri;
      }
      if (entries.size === 0) services.delete(key);
    },
    keepBundle: (key, bundle) => {
      const known = entriesOf(key).get(bundle.headRevision) ?? newEntry(clock);
      known.found = bundle;
      entriesOf(key).set(bundle.headRevision, known);
    },
    remoteBundle: (key, headRevision) => services.get(key)?.get(headRevision)?.found ?? null,
    pollBundles,
    runBundles: async () => {
      while (!signal.aborted) {
        // A store that is slow holds its own bundle alone.
        void pollBundles();
        await sleep(clock, TICK_MS, signal);
      }
    },
  };
}

function newEntry(clock: KubeClock): Entry {
  return { uri: null, found: null, dueMs: clock.monotonicMs(), isAsking: false, attempt: 0 };
}

export function isBundle(found: VerifiedBundle | BundleProblem | null): found is VerifiedBundle {
  return found !== null && 'bytes' in found;
}

function isHeld({ found }: Entry): boolean {
  return isBundle(found);
}

/** For comparing: a bundle is no problem. */
function toProblem(found: Entry['found']): unknown {
  return isBundle(found) ? found.headRevision : found;
}

type Asking = Pick<RemoteBundleOptions, 'pods' | 'call'>;

/** From a pod that has it, else by one that fetches it first; null: nobody can be asked. */
async function bring(
  key: string,
  { headRevision, uri }: RemoteBundle,
  attempt: number,
  { pods, call }: Asking,
): Promise<VerifiedBundle | BundleProblem | null> {
  const answering = pods(key).filter(({ state, problem }) => state?.loaded && problem === null);
  const holders = answering.filter((view) => heldRevisions(view).includes(headRevision));
  const able = holders.length > 0 ? holders : answering;
  const pod = able[attempt % Math.max(1, able.length)];
  if (pod === undefined) return null;
  const { uid, name } = pod.pod;
  const path = `/v1/heads/${headRevision.slice('sha256:'.length)}`;
  if (holders.length === 0) {
    const body = JSON.stringify({ uri });
    const fetched = readFetch(
      await call(key, uid, { method: 'POST', path, body, deadlineMs: BRING_MS }),
    );
    if (!fetched.ok) {
      const message = `Pod ${name} has not brought it from ${uri} yet: ${fetched.message}.`;
      return { reason: 'BundleMissing', message };
    }
    const { result, reason, message } = fetched.value;
    if (result === 'Missing') return { reason, message: `Pod ${name}: ${message}` };
  }
  const limits = { deadlineMs: READ_MS, maxBytes: WIRE_LIMITS.headBundleBytes };
  const answer = await call(key, uid, { method: 'GET', path, ...limits });
  if (!answer.ok || answer.value.status !== 200) return null;
  const verified = verifyBundle(answer.value.body, headRevision);
  if (verified.ok) return verified.value;
  const reason = verified.code === 'DigestMismatch' ? 'DigestMismatch' : 'Malformed';
  return { reason, message: `Pod ${name}: ${verified.message}.` };
}

const fetchAnswer = z.discriminatedUnion('result', [
  z.object({ result: z.literal('Stored'), reason: z.string(), message: z.string() }),
  z.object({
    result: z.literal('Missing'),
    reason: z.enum(['BundleMissing', 'DigestMismatch', 'Malformed', 'HeadTooLarge']),
    message: z.string().max(4096),
  }),
]);

function readFetch(answer: Result<AdminAnswer>): Result<z.infer<typeof fetchAnswer>> {
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal('POST /v1/heads', answer.value);
  try {
    const parsed = fetchAnswer.safeParse(JSON.parse(answer.value.body.toString('utf8')));
    if (parsed.success) return { ok: true, value: parsed.data };
  } catch {
    // No JSON: told below.
  }
  return {
    ok: false,
    code: 'BadAnswer',
    message: 'the answer to POST /v1/heads is not understood',
  };
}
