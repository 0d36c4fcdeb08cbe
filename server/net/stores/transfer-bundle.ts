// Head bundles in S3 or in a registry: bounded in time and size, no secret in any message.
import { FetchError, StatusError, type PlaceFields } from '../fetch-problem.ts';
import { TooLargeError } from '../read-bytes.ts';
import type { NetRules } from '../send-request.ts';
import { pullArtifact, pushArtifact } from './oci-store.ts';
import { getObject, putObject } from './s3-store.ts';
import { openAccess, type StoreAccess, type StoreCall } from './store-access.ts';
import { objectIn, showPlace, type StorePlace } from './store-uri.ts';

export interface TransferRules {
  readonly access: StoreAccess;
  readonly net: Omit<NetRules, 'extraCas' | 'fields' | 'signal'>;
  readonly fields: PlaceFields;
  /** Of the whole transfer, so that a store which trickles cannot hold it. */
  readonly totalMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Told as bytes of the bundle arrive. */
  readonly onBytes?: (bytes: number) => void;
}

/** What a store gave: bytes that nobody has verified, or why there are none. */
export type Fetched =
  | { readonly ok: true; readonly value: Uint8Array }
  | {
      readonly ok: false;
      readonly code: 'BundleMissing' | 'HeadTooLarge';
      readonly message: string;
    };

/** Never throws for what a store does. `digest` chooses among the layers of an artifact; null: it is not known. */
export async function fetchBundle(
  place: StorePlace,
  digest: string | null,
  rules: TransferRules,
): Promise<Fetched> {
  try {
    const value = await transfer(place, rules, (call) =>
      place.kind === 's3' ? getObject(place, call) : pullArtifact(place, digest, call),
    );
    return { ok: true, value };
  } catch (error) {
    if (error instanceof TooLargeError) {
      const message = `${error.message} A head bundle may have ${error.maxBytes}; store a smaller one.`;
      return { ok: false, code: 'HeadTooLarge', message };
    }
    if (error instanceof FetchError) {
      return { ok: false, code: 'BundleMissing', message: error.message };
    }
    throw error;
  }
}

/** Where an upload lies now. Throws FetchError. */
export async function storeBundle(
  store: StorePlace,
  { digest, bytes }: { readonly digest: string; readonly bytes: Uint8Array },
  rules: TransferRules,
): Promise<string> {
  const stored = await transfer(store, rules, async (call): Promise<StorePlace> => {
    const hex = digest.slice('sha256:'.length);
    if (store.kind === 'oci') return pushArtifact(store, { bytes, tag: hex }, call);
    const object = objectIn(store, hex);
    await putObject(object, bytes, call);
    return object;
  });
  return showPlace(stored);
}

/** Whether another try may end otherwise by itself: not when the store said no, or has no such thing. */
export function isWorthRepeating(error: unknown): boolean {
  return !(error instanceof StatusError) || error.status >= 500 || error.status === 429;
}

/** Work on a place within the time of its rules; anything that goes wrong is a FetchError or a TooLargeError. */
export async function transfer<T>(
  place: StorePlace,
  { access, net, fields, totalMs, signal, ...limits }: TransferRules,
  work: (call: StoreCall) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(totalMs);
  const bounded = AbortSignal.any([signal, deadline]);
  try {
    const own = place.kind === 's3' ? access : { ...access, identity: null };
    return await work(await openAccess(own, { ...net, fields, signal: bounded }, limits));
  } catch (error) {
    if (error instanceof TooLargeError) throw error;
    if (deadline.aborted) {
      throw new FetchError(
        `${showPlace(place)} took longer than ${totalMs / 1000} s; look at that store.`,
        { cause: error },
      );
    }
    if (error instanceof FetchError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new FetchError(`${showPlace(place)} cannot be reached: ${why}.`, { cause: error });
  }
}
