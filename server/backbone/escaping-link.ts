import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, sep } from 'node:path';
import { parseTfjsManifest } from '../core/tfjs/model-manifest.ts';
import { MODEL_NOTES_FILE } from '../engine/model-notes.ts';
import { TFJS_MANIFEST } from './detect-format.ts';

/**
 * A file that belongs to the model at `found` and is a link that leads out of `root`, as its path beside the model; null: there is none.
 * Whoever may write into a claim may not read this pod's keys by naming them as weights. Both paths are real ones.
 */
export async function findEscapingLink(root: string, found: string): Promise<string | null> {
  const isFolder = (await stat(found)).isDirectory();
  const folder = isFolder ? found : dirname(found);
  const manifest = isFolder ? TFJS_MANIFEST : basename(found);
  for (const name of [manifest, MODEL_NOTES_FILE]) {
    if (await leadsOut(root, join(folder, name))) return name;
  }
  for (const name of await weightPaths(join(folder, manifest))) {
    if (await leadsOut(root, join(folder, name))) return name;
  }
  return null;
}

/** What is not there leads nowhere: whoever reads it says so. */
async function leadsOut(root: string, path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => null);
  return real !== null && !real.startsWith(`${root}${sep}`);
}

/** Of a TensorFlow.js model; others are one file. */
async function weightPaths(manifest: string): Promise<readonly string[]> {
  if (extname(manifest).toLowerCase() !== '.json') return [];
  const text = await readFile(manifest, 'utf8').catch(() => '');
  const parsed = parseTfjsManifest(text);
  return parsed.ok ? parsed.value.weightPaths : [];
}
