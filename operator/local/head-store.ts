import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import { verifyBundle, type VerifiedBundle } from '../fleet/pull-bundle.ts';
import { writeFileAtomically } from './write-file.ts';

/** Head bundles by revision: in memory, and in the folder of --state where there is one. */
export interface HeadStore {
  add(bundle: VerifiedBundle): void;
  bytes(headRevision: string): Uint8Array | null;
  readonly bundles: () => ReadonlyMap<string, HeadBundle>;
}

const FILE = /^([0-9a-f]{64})\.lch$/;

/** Bundles in the folder are verified like any other; a broken one is as good as absent. */
export function createHeadStore(folder: string | null): HeadStore {
  const stored = new Map<string, VerifiedBundle>();
  if (folder !== null) {
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(folder)) {
      const hex = FILE.exec(file)?.[1];
      if (hex === undefined) continue;
      const bundle = verifyBundle(readFileSync(join(folder, file)), `sha256:${hex}`);
      if (bundle.ok) stored.set(bundle.value.headRevision, bundle.value);
    }
  }
  return {
    add: (bundle) => {
      stored.set(bundle.headRevision, bundle);
      if (folder === null) return;
      writeFileAtomically(
        join(folder, `${bundle.headRevision.slice('sha256:'.length)}.lch`),
        bundle.bytes,
      );
    },
    bytes: (headRevision) => stored.get(headRevision)?.bytes ?? null,
    bundles: () => new Map([...stored].map(([revision, { bundle }]) => [revision, bundle])),
  };
}
