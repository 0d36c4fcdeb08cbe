// The files of a fetched model: one of ONNX, or the manifest of a TensorFlow.js model and the weight files that it names.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseTfjsManifest, tfjsListing } from '../core/tfjs/model-manifest.ts';
import { shownUrl } from '../net/fetch-problem.ts';
import type { FetchRules } from '../net/open-url.ts';
import { TFJS_MANIFEST } from './detect-format.ts';
import { download, type DownloadLimits } from './download.ts';
import { LoadError } from './load-error.ts';

/** Whatever the URI calls it: engines tell formats by the name. */
const ONNX_FILE = 'model.onnx';
/** What a fetched model may lie in. */
export const MODEL_FILES = [ONNX_FILE, TFJS_MANIFEST] as const;

interface Fetched {
  readonly path: string;
  readonly digest: string;
}

type Rules = FetchRules & { readonly limits: DownloadLimits };

/** One file; JSON is the manifest of a TensorFlow.js model, and its weights lie beside it. */
export async function fetchModel(url: URL, dir: string, rules: Rules): Promise<Fetched> {
  const path = join(dir, ONNX_FILE);
  const { digest, sizeBytes } = await download(url, path, rules);
  if (!(await startsLikeJson(path))) return { path, digest };
  const manifest = join(dir, TFJS_MANIFEST);
  await rename(path, manifest);
  const parsed = parseTfjsManifest(await readFile(manifest, 'utf8'));
  if (!parsed.ok) {
    throw new LoadError(
      'BackboneLoadFailed',
      `${shownUrl(url)} ${parsed.message}; correct ${rules.fields.uri}.`,
    );
  }
  const weights: { path: string; sha256: string }[] = [];
  let leftBytes = rules.limits.maxBytes - sizeBytes;
  for (const name of parsed.value.weightPaths) {
    const file = join(dir, name);
    await mkdir(dirname(file), { recursive: true });
    const limits = { ...rules.limits, maxBytes: leftBytes };
    const weight = await download(new URL(name, url), file, { ...rules, limits });
    leftBytes -= weight.sizeBytes;
    weights.push({ path: name, sha256: hexOf(weight.digest) });
  }
  return { path: manifest, digest: digestOfListing(tfjsListing(hexOf(digest), weights)) };
}

async function startsLikeJson(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.subarray(0, bytesRead).toString('latin1').trimStart().startsWith('{');
  } finally {
    await file.close();
  }
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function digestOfListing(listing: string): string {
  return `sha256:${createHash('sha256').update(listing).digest('hex')}`;
}

/** As `api.md` 2 defines it. Throws when a file is missing. */
export async function digestOfModel(path: string): Promise<string> {
  if (basename(path) !== TFJS_MANIFEST) return `sha256:${await sha256Of(path)}`;
  const parsed = parseTfjsManifest(await readFile(path, 'utf8'));
  const weights: { path: string; sha256: string }[] = [];
  for (const name of parsed.ok ? parsed.value.weightPaths : []) {
    weights.push({ path: name, sha256: await sha256Of(join(dirname(path), name)) });
  }
  return digestOfListing(tfjsListing(await sha256Of(path), weights));
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
