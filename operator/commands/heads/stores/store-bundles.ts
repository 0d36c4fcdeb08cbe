import { addBundle } from '../../../../server/net/stores/add-bundle.ts';
import { FetchError } from '../../../../server/net/fetch-problem.ts';
import { parseStoreUri, type StorePlace } from '../../../../server/net/stores/store-uri.ts';
import { fetchBundle } from '../../../../server/net/stores/transfer-bundle.ts';
import { CliError } from '../../../errors.ts';
import type { OpenedBundle } from '../read-bundle.ts';
import { storeRules, type StoreFlags } from './store-rules.ts';

/** How the stores of one command line are reached. */
export interface StoreCaller {
  readonly flags: StoreFlags;
  readonly environment: Readonly<Record<string, string>>;
}

/** Whether what was typed is an address, of whatever kind. */
export function isStoreUri(name: string): boolean {
  return /^[a-z0-9+]+:\/\//i.test(name);
}

/** The bytes of a bundle in a store, which nobody has verified, with the digest that its address tells: objects lie under theirs. */
export async function fetchFromStore(
  uri: string,
  digest: string | null,
  caller: StoreCaller,
): Promise<{ readonly bytes: Uint8Array; readonly namedDigest: string | null }> {
  const place = placeOf(uri);
  const rules = await storeRules(place, caller.flags, caller.environment);
  const fetched = await fetchBundle(place, digest, rules);
  if (fetched.ok) return { bytes: fetched.value, namedDigest: digestIn(place) };
  if (fetched.code === 'HeadTooLarge') {
    throw new CliError('HeadsUnreadable', { where: uri, why: fetched.message });
  }
  throw storeFailed(place, uri, fetched.message);
}

/** Adds a bundle to a store; resolves with where it lies. Never overwrites. */
export async function addToStore(
  uri: string,
  { digest, bytes }: Pick<OpenedBundle, 'digest' | 'bytes'>,
  caller: StoreCaller,
): Promise<{ readonly uri: string; readonly wasThere: boolean }> {
  const place = placeOf(uri);
  if (place.kind === 'oci' && place.reference?.startsWith('sha256:') === true) {
    throw new CliError('UsageError', {
      where: `--to ${uri}`,
      why: 'a digest is what comes out, not where something can be put.',
      nextStep: 'Name the repository, with a tag or without.',
    });
  }
  const rules = await storeRules(place, caller.flags, caller.environment);
  const added = await addBundle(place, { digest, bytes }, rules).catch((error: unknown) => {
    throw error instanceof FetchError ? storeFailed(place, uri, error.message, error) : error;
  });
  if (added.ok) return added;
  throw new CliError('PlaceTaken', { where: added.uri, why: `it is not ${digest}.` });
}

function placeOf(uri: string): StorePlace {
  const place = parseStoreUri(uri);
  if (place.ok) return place.value;
  throw new CliError('UsageError', { where: uri, why: `${place.message}.` });
}

function digestIn(place: StorePlace): string | null {
  const hex = place.kind === 's3' ? /(?:^|\/)([0-9a-f]{64})$/.exec(place.key)?.[1] : undefined;
  return hex === undefined ? null : `sha256:${hex}`;
}

function storeFailed(place: StorePlace, uri: string, why: string, cause?: unknown): CliError {
  const nextStep =
    place.kind === 's3'
      ? 'Who asks is read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and AWS_ENDPOINT_URL; run the command again once that is corrected.'
      : `Who asks is read from what \`docker login ${place.registry}\` keeps; run the command again once that is corrected.`;
  return new CliError('StoreFailed', { where: uri, why, nextStep, cause });
}
