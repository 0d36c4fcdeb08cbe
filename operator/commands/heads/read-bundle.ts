import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { HEAD_REVISION_KIND } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { parseHeadBundle, type HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { digestOf } from '../../../server/net/digest.ts';
import { CliError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { fetchFromStore, type StoreCaller } from './stores/store-bundles.ts';

/** A bundle with what names it. */
export interface OpenedBundle {
  readonly where: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundle: HeadBundle;
  readonly bytes: Uint8Array;
  /** What a CacheHeadRevision, its address or --digest says of it; null: nothing does. */
  readonly claimedDigest: string | null;
}

/** Whether what was typed is a file of this machine; else it names a CacheHeadRevision. */
export function isBundleFile(name: string): boolean {
  return /[./]/.test(name) || existsSync(name);
}

export async function openBundleFile(path: string): Promise<OpenedBundle> {
  try {
    return toOpened(path, await readFile(path), null);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('HeadsUnreadable', {
      where: path,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}

/** A bundle by its address in S3 or in a registry. */
export async function openStored(uri: string, caller: StoreCaller): Promise<OpenedBundle> {
  const { bytes, namedDigest } = await fetchFromStore(uri, null, caller);
  return toOpened(uri, bytes, namedDigest);
}

/** Throws when it is not what is said of it, or not `wanted`. */
export function checkDigest(
  { where, digest, claimedDigest }: OpenedBundle,
  wanted: string | null,
): void {
  const other = [claimedDigest, wanted].find((one) => one !== null && one !== digest);
  if (other === undefined) return;
  throw new CliError('HeadsDigestMismatch', {
    where,
    why: `it is ${digest}, and should be ${other ?? ''}.`,
  });
}

/** From the ConfigMap of a revision, or from the store that its uri names. */
export async function openRevision(
  cluster: Cluster,
  name: string,
  caller: StoreCaller,
): Promise<OpenedBundle> {
  const { api, namespace } = cluster;
  const revision = await api.get({ kind: HEAD_REVISION_KIND, namespace, name });
  const { bundle } = revision.spec as {
    readonly bundle?: {
      readonly digest?: string;
      readonly configMapName?: string;
      readonly uri?: string;
    };
  };
  if (bundle?.configMapName === undefined) {
    const { uri, digest = null } = bundle ?? {};
    if (uri === undefined) {
      throw new CliError('HeadsUnreadable', { where: name, why: 'its bundle lies at no place.' });
    }
    const { bytes } = await fetchFromStore(uri, digest, caller);
    return toOpened(name, bytes, digest);
  }
  const configMap = await api.get({ kind: 'ConfigMap', namespace, name: bundle.configMapName });
  const text = (configMap as { readonly binaryData?: Readonly<Record<string, string>> }).binaryData
    ?.bundle;
  if (text === undefined) {
    throw new CliError('HeadsUnreadable', {
      where: bundle.configMapName,
      why: 'the ConfigMap holds no key bundle.',
    });
  }
  return toOpened(name, Buffer.from(text, 'base64'), bundle.digest ?? null);
}

function toOpened(where: string, bytes: Uint8Array, claimedDigest: string | null): OpenedBundle {
  const parsed = parseHeadBundle(bytes);
  if (!parsed.ok) {
    throw new CliError('HeadsUnreadable', { where, why: parsed.message });
  }
  const digest = digestOf(bytes);
  return { where, digest, sizeBytes: bytes.byteLength, bytes, bundle: parsed.value, claimedDigest };
}
