// A bundle is added to a store and never put over another: what lies there already is compared, what was written is read again.
import { digestOf } from '../digest.ts';
import { fetchFailed, StatusError } from '../fetch-problem.ts';
import { findArtifact, pullArtifact, pushArtifact } from './oci-store.ts';
import { getObject, putObject } from './s3-store.ts';
import type { StoreCall } from './store-access.ts';
import { objectIn, showPlace, type OciPlace, type S3Place, type StorePlace } from './store-uri.ts';
import { transfer, type TransferRules } from './transfer-bundle.ts';

export interface BundleToAdd {
  /** `sha256:<64 hex>` of the bytes. */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

export type Added =
  | { readonly ok: true; readonly uri: string; readonly wasThere: boolean }
  /** Something else lies there, and stays. */
  | { readonly ok: false; readonly uri: string };

/**
 * Adds a bundle: to a bucket under its digest, to a registry under the tag of the place, or its digest without one. Throws
 * FetchError, also when the store does not give back what was written.
 * @param store a repository or a tag of it, never an artifact by its digest
 */
export function addBundle(
  store: StorePlace,
  bundle: BundleToAdd,
  rules: TransferRules,
): Promise<Added> {
  return transfer(store, rules, (call) =>
    store.kind === 's3' ? addObject(store, bundle, call) : addArtifact(store, bundle, call),
  );
}

async function addObject(
  store: S3Place,
  { digest, bytes }: BundleToAdd,
  call: StoreCall,
): Promise<Added> {
  const object = objectIn(store, digest.slice('sha256:'.length));
  const uri = showPlace(object);
  const there = await getObject(object, call).catch(absentObject);
  if (there !== null) {
    return digestOf(there) === digest ? { ok: true, uri, wasThere: true } : { ok: false, uri };
  }
  try {
    await putObject(object, bytes, call, { onlyIfAbsent: true });
  } catch (error) {
    // Somebody was faster, or may write here and not read.
    if (error instanceof StatusError && error.status === 412) return { ok: false, uri };
    throw error;
  }
  verifyWritten(uri, digest, await getObject(object, call));
  return { ok: true, uri, wasThere: false };
}

/** Who may not list a bucket is told 403 of an object that is not there: writing it decides. */
function absentObject(error: unknown): null {
  if (error instanceof StatusError && [403, 404].includes(error.status)) return null;
  throw error;
}

async function addArtifact(
  store: OciPlace,
  { digest, bytes }: BundleToAdd,
  call: StoreCall,
): Promise<Added> {
  const tag = store.reference ?? digest.slice('sha256:'.length);
  const there = await findArtifact({ ...store, reference: tag }, call);
  if (there !== null && !there.digests.includes(digest)) {
    return { ok: false, uri: showPlace({ ...store, reference: tag }) };
  }
  const place =
    there === null
      ? await pushArtifact(store, { bytes, tag }, call)
      : { ...store, reference: there.digest };
  const uri = showPlace(place);
  verifyWritten(uri, digest, await pullArtifact(place, digest, call));
  return { ok: true, uri, wasThere: there !== null };
}

function verifyWritten(uri: string, digest: string, bytes: Uint8Array): void {
  const found = digestOf(bytes);
  if (found === digest) return;
  throw fetchFailed(`${uri} gives back ${found} where ${digest} was stored; look at that store.`);
}
