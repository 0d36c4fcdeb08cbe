import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { encodeHeadBundle, parseHeadBundle } from '../../crds/wire/head-bundle.ts';
import { ServingError } from '../errors.ts';
import type { ModelDescription } from '../engine/segment-engine.ts';
import { findBundleProblem } from './check-bundle.ts';
import { digestOf } from '../net/digest.ts';
import { writeFileAtomically } from './write-file.ts';

/** Head bundles by sha256. Nothing is visible before size, digest, manifest, weights and shapes were checked. */
export interface HeadFiles {
  /** Throws ServingError head_refused. A disk that is full or read-only costs durability, never the bundle. */
  put(headRevision: string, bytes: Uint8Array): Promise<'Stored' | 'Existed'>;
  /** From memory, the mounted directories or the cache directory; null when it is in none or does not fit. */
  find(headRevision: string): Promise<HeadBundle | null>;
  /** The bytes of a bundle that is here; null when they cannot be read again with their digest. */
  read(headRevision: string): Promise<Uint8Array | null>;
  list(): readonly { readonly headRevision: string; readonly sizeBytes: number }[];
  remove(headRevision: string): Promise<void>;
}

export interface HeadFilesOptions {
  readonly model: ModelDescription;
  readonly cacheDir: string | null;
  /** Directories to read from, never written. */
  readonly readDirs: readonly string[];
  readonly isInUse: (headRevision: string) => boolean;
  readonly onDiskError: (error: unknown) => void;
}

/** The stable heads in a mounted policy, whatever their digest. */
const STABLE_FILE = 'stable.bundle';

/** `sha256:<64 hex>`, the only names that reach a file system. */
export const HEAD_REVISION_PATTERN = /^sha256:[0-9a-f]{64}$/;
const MAX_BUNDLES = 32;

export function createHeadFiles(options: HeadFilesOptions): HeadFiles {
  const kept = new Map<string, { readonly bundle: HeadBundle; readonly sizeBytes: number }>();
  const ownDir = options.cacheDir === null ? null : join(options.cacheDir, 'heads');

  function keep(headRevision: string, bundle: HeadBundle, sizeBytes: number): void {
    kept.set(headRevision, { bundle, sizeBytes });
    for (const name of kept.keys()) {
      if (kept.size <= MAX_BUNDLES) return;
      if (name !== headRevision && !options.isInUse(name)) kept.delete(name);
    }
  }

  async function store(headRevision: string, bytes: Uint8Array): Promise<void> {
    if (ownDir === null) return;
    try {
      await mkdir(ownDir, { recursive: true });
      await writeFileAtomically(join(ownDir, fileName(headRevision)), bytes);
    } catch (error) {
      options.onDiskError(error);
    }
  }

  function placesOf(headRevision: string): string[] {
    const name = fileName(headRevision);
    const mounted = options.readDirs.flatMap((dir) => [join(dir, name), join(dir, STABLE_FILE)]);
    return ownDir === null ? mounted : [...mounted, join(ownDir, name)];
  }

  async function load(headRevision: string): Promise<HeadBundle | null> {
    for (const path of placesOf(headRevision)) {
      const bytes = await readIfThere(path);
      // A mounted stable bundle is often another one than is looked for: that is no damage.
      const isOther =
        path.endsWith(STABLE_FILE) && bytes !== null && digestOf(bytes) !== headRevision;
      if (bytes === null || isOther) continue;
      const checked = checkBundle(headRevision, bytes, options.model);
      if (typeof checked === 'string') {
        options.onDiskError(new Error(`${path} is refused: ${checked}`));
        continue;
      }
      keep(headRevision, checked, bytes.length);
      return checked;
    }
    return null;
  }

  return {
    put: async (headRevision, bytes) => {
      if (kept.has(headRevision)) return 'Existed';
      const checked = checkBundle(headRevision, bytes, options.model);
      if (typeof checked === 'string') throw new ServingError('head_refused', { detail: checked });
      await store(headRevision, bytes);
      keep(headRevision, checked, bytes.length);
      return 'Stored';
    },
    find: async (headRevision) => {
      if (!HEAD_REVISION_PATTERN.test(headRevision)) return null;
      return kept.get(headRevision)?.bundle ?? (await load(headRevision));
    },
    read: async (headRevision) => {
      if (!HEAD_REVISION_PATTERN.test(headRevision)) return null;
      const isWhole = (bytes: Uint8Array | null): bytes is Uint8Array =>
        bytes !== null && digestOf(bytes) === headRevision;
      for (const path of placesOf(headRevision)) {
        const bytes = await readIfThere(path);
        if (isWhole(bytes)) return bytes;
      }
      // A disk that could not keep it loses nothing: the file is a function of its content.
      const { bundle } = kept.get(headRevision) ?? {};
      const encoded = bundle === undefined ? null : encodeHeadBundle(bundle);
      return isWhole(encoded) ? encoded : null;
    },
    list: () => [...kept].map(([headRevision, { sizeBytes }]) => ({ headRevision, sizeBytes })),
    remove: async (headRevision) => {
      kept.delete(headRevision);
      if (ownDir !== null) await rm(join(ownDir, fileName(headRevision)), { force: true });
    },
  };
}

/** `<64 hex>.head`, in the cache directory and in mounted ones alike. */
function fileName(headRevision: string): string {
  return `${headRevision.slice('sha256:'.length)}.head`;
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch {
    return null;
  }
}

/** The bundle, or why it is refused. */
function checkBundle(
  headRevision: string,
  bytes: Uint8Array,
  model: ModelDescription,
): HeadBundle | string {
  const digest = digestOf(bytes);
  if (digest !== headRevision) {
    return `its digest is ${digest}, not ${headRevision}; send the file unchanged.`;
  }
  const parsed = parseHeadBundle(bytes);
  if (!parsed.ok) return parsed.message;
  return findBundleProblem(parsed.value, model) ?? parsed.value;
}
