import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { HEAD_REVISION_KIND } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { parseHeadBundle, type HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** A bundle with what names it. */
export interface OpenedBundle {
  readonly where: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly bundle: HeadBundle;
  readonly bytes: Uint8Array;
  /** What a CacheHeadRevision says of it; null: it came from a file. */
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

/** From the ConfigMap of a revision; what lies in s3 or oci has to be fetched first. */
export async function openRevision(cluster: Cluster, name: string): Promise<OpenedBundle> {
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
    throw new CliError('HeadsUnreadable', {
      where: name,
      why: `its bundle lies at ${bundle?.uri ?? 'no place'}.`,
      nextStep: 'Fetch that file with the tool of its store, and name the file.',
    });
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
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { where, digest, sizeBytes: bytes.byteLength, bytes, bundle: parsed.value, claimedDigest };
}
