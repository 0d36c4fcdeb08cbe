import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorText } from '../../server/core/system-error.ts';
import { parseTfjsManifest, tfjsListing } from '../../server/core/tfjs/model-manifest.ts';
import { CliError } from '../errors.ts';
import { pathOfFileUri } from './file-uri.ts';

/** A backbone on this machine, the file that engines open, its digest checked where the manifest names one. */
export interface PreparedBackbone {
  readonly path: string;
  readonly digest: string;
}

/** `file:` and relative URIs resolve against the manifest's folder (operations.md 7). */
export async function prepareBackbone(
  backbone: { readonly uri: string; readonly digest?: string | undefined },
  manifestFolder: string,
  where: string,
): Promise<PreparedBackbone> {
  const given = resolveBackbonePath(backbone.uri, manifestFolder, where);
  const { path, digest } = await read(given, where);
  if (backbone.digest !== undefined && backbone.digest !== digest) {
    throw new CliError('BackboneDigestMismatch', {
      where: path,
      why: `it has ${digest}, and the manifest names ${backbone.digest}.`,
    });
  }
  return { path, digest };
}

async function read(given: string, where: string): Promise<PreparedBackbone> {
  try {
    const path = await findFile(given);
    return { path, digest: await digestOf(path) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('BackboneFetchFailed', { where, why: `${errorText(error)}.`, cause: error });
  }
}

function resolveBackbonePath(uri: string, manifestFolder: string, where: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1];
  if (scheme !== undefined && scheme !== 'file') {
    throw new CliError('BackboneFetchFailed', {
      where,
      why: `backbone.uri is ${uri}, and local mode reads files only.`,
      nextStep: 'Download the model and write file:PATH.',
    });
  }
  return pathOfFileUri(uri, manifestFolder);
}

/** A folder is that of a TensorFlow.js model or a SavedModel. */
async function findFile(path: string): Promise<string> {
  const facts = await stat(path);
  if (!facts.isDirectory()) return path;
  for (const name of ['model.json', 'saved_model.pb']) {
    if (await isThere(join(path, name))) return join(path, name);
  }
  throw new CliError('BackboneFetchFailed', {
    where: path,
    why: 'it is a folder without a model.json or saved_model.pb.',
    nextStep:
      'Name the .onnx file, or the folder of a TensorFlow.js model or SavedModel, in backbone.uri.',
  });
}

/** As the server computes it: of the one file, or of model.json and the weight files that it names (`api.md` 2). */
async function digestOf(path: string): Promise<string> {
  if (extname(path).toLowerCase() !== '.json') return `sha256:${await sha256Of(path)}`;
  const manifest = parseTfjsManifest(await readFile(path, 'utf8'));
  if (!manifest.ok) {
    throw new CliError('BackboneLoadFailed', { where: path, why: `it ${manifest.message}.` });
  }
  const weights: { path: string; sha256: string }[] = [];
  for (const name of manifest.value.weightPaths) {
    const file = join(dirname(path), name);
    if (!(await isThere(file))) {
      throw new CliError('BackboneFetchFailed', {
        where: path,
        why: `it names the weight file ${name}, which is not beside it.`,
        nextStep: 'Copy all weight files of the model into that folder.',
      });
    }
    weights.push({ path: name, sha256: await sha256Of(file) });
  }
  const listing = tfjsListing(await sha256Of(path), weights);
  return `sha256:${createHash('sha256').update(listing).digest('hex')}`;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
