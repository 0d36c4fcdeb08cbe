import { setTimeout as wait } from 'node:timers/promises';
import type { MissingHeadsReport } from '../../crds/wire/state.ts';
import { ServingError } from '../errors.ts';
import { digestOf } from '../net/digest.ts';
import { parseStoreUri } from '../net/stores/store-uri.ts';
import type { Fetched } from '../net/stores/transfer-bundle.ts';
import type { StorePlace } from '../net/stores/store-uri.ts';
import type { HeadFiles } from './head-files.ts';

/** Heads that lie in a remote store. */
export interface WantedHeads {
  readonly headRevision: string;
  readonly uri: string;
}

export type Brought =
  { readonly ok: true } | { readonly ok: false; readonly problem: MissingHeadsReport };

/** Brings head bundles from their store. Nothing is visible before its digest and its manifest were checked. */
export interface RemoteHeads {
  /** What the policy names and is not here: tried again until it comes or is no longer named. */
  want(heads: readonly WantedHeads[]): void;
  /** One try, for who waits; tries for the same heads at the same time are one. */
  bring(heads: WantedHeads): Promise<Brought>;
  problems(): readonly MissingHeadsReport[];
  close(): void;
}

export interface FetchedHeads {
  readonly source: StorePlace['kind'];
  readonly isUsable: boolean;
  readonly bytes: number;
}

export interface RemoteHeadsOptions {
  readonly files: Pick<HeadFiles, 'put'>;
  readonly fetch: (
    place: StorePlace,
    digest: string,
    transfer: {
      readonly signal: AbortSignal;
      /** Told as bytes arrive. */
      readonly onBytes: (bytes: number) => void;
    },
  ) => Promise<Fetched>;
  /** Checked and kept: the policy that waits for it can have it. */
  readonly onArrived: (headRevision: string) => void;
  readonly onProblem: (problem: MissingHeadsReport) => void;
  /** One try has ended; `bytes` came over the network. */
  readonly onFetched: (fetched: FetchedHeads) => void;
  readonly retry?: { readonly firstMs: number; readonly mostMs: number };
}

const RETRY = { firstMs: 1_000, mostMs: 60_000 };

export function createRemoteHeads(options: RemoteHeadsOptions): RemoteHeads {
  const { firstMs, mostMs } = options.retry ?? RETRY;
  const underway = new Map<string, Promise<Brought>>();
  const wanted = new Map<string, { readonly uri: string; readonly stop: AbortController }>();
  const known = new Map<string, MissingHeadsReport>();
  const ending = new AbortController();

  function note(headRevision: string, brought: Brought): void {
    if (brought.ok) known.delete(headRevision);
    else if (wanted.has(headRevision)) {
      const isNews = known.get(headRevision)?.message !== brought.problem.message;
      known.set(headRevision, brought.problem);
      if (isNews) options.onProblem(brought.problem);
    }
  }

  function bring(heads: WantedHeads): Promise<Brought> {
    const { headRevision } = heads;
    const running = underway.get(headRevision);
    if (running !== undefined) return running;
    const started = bringOnce(heads, options, ending.signal).then((brought) => {
      underway.delete(headRevision);
      note(headRevision, brought);
      return brought;
    });
    underway.set(headRevision, started);
    return started;
  }

  async function keepBringing(heads: WantedHeads, signal: AbortSignal): Promise<void> {
    const isStopped = (): boolean => signal.aborted;
    for (let waitMs = firstMs; !isStopped(); waitMs = Math.min(mostMs, waitMs * 2)) {
      const brought = await bring(heads);
      if (isStopped()) return;
      if (brought.ok) {
        wanted.delete(heads.headRevision);
        options.onArrived(heads.headRevision);
        return;
      }
      // A pause that is cut short ends the loop.
      await wait(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  function forget(headRevision: string): void {
    wanted.get(headRevision)?.stop.abort();
    wanted.delete(headRevision);
    known.delete(headRevision);
  }

  return {
    want: (heads) => {
      for (const headRevision of [...wanted.keys()]) {
        const { uri } = heads.find((one) => one.headRevision === headRevision) ?? {};
        if (uri !== wanted.get(headRevision)?.uri) forget(headRevision);
      }
      for (const one of heads) {
        if (wanted.has(one.headRevision) || ending.signal.aborted) continue;
        const stop = new AbortController();
        wanted.set(one.headRevision, { uri: one.uri, stop });
        void keepBringing(one, stop.signal);
      }
    },
    bring,
    problems: () => [...known.values()],
    close: () => {
      ending.abort();
      for (const headRevision of [...wanted.keys()]) forget(headRevision);
    },
  };
}

async function bringOnce(
  heads: WantedHeads,
  options: Pick<RemoteHeadsOptions, 'files' | 'fetch' | 'onFetched'>,
  signal: AbortSignal,
): Promise<Brought> {
  const place = parseStoreUri(heads.uri);
  if (!place.ok) return missing(heads, 'BundleMissing', `${place.message}.`);
  let bytes = 0;
  const onBytes = (more: number): void => {
    bytes += more;
  };
  const fetch = (): Promise<Fetched> =>
    options.fetch(place.value, heads.headRevision, { signal, onBytes });
  const brought = await bringWith(fetch, heads, options.files);
  options.onFetched({ source: place.value.kind, isUsable: brought.ok, bytes });
  return brought;
}

async function bringWith(
  fetch: () => Promise<Fetched>,
  heads: WantedHeads,
  files: RemoteHeadsOptions['files'],
): Promise<Brought> {
  const { headRevision, uri } = heads;
  try {
    const fetched = await fetch();
    if (!fetched.ok) return missing(heads, fetched.code, fetched.message);
    const digest = digestOf(fetched.value);
    if (digest !== headRevision) {
      const told = `${uri} has digest ${digest}, not ${headRevision}; restore the right file.`;
      return missing(heads, 'DigestMismatch', told);
    }
    await files.put(headRevision, fetched.value);
    return { ok: true };
  } catch (error) {
    const reason = error instanceof ServingError ? 'Malformed' : 'BundleMissing';
    const why = error instanceof Error ? error.message : String(error);
    return missing(heads, reason, `${uri}: ${why}`);
  }
}

function missing(
  { headRevision }: WantedHeads,
  reason: MissingHeadsReport['reason'],
  message: string,
): Brought {
  return { ok: false, problem: { headRevision, reason, message: message.slice(0, 1024) } };
}
