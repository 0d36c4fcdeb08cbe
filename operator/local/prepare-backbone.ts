import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { CliError, messageOf } from '../errors.ts';

/** A backbone file on this machine, its digest checked where the manifest names one. */
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
  const path = resolveBackbonePath(backbone.uri, manifestFolder, where);
  const digest = await digestOf(path, where);
  if (backbone.digest !== undefined && backbone.digest !== digest) {
    throw new CliError('BackboneDigestMismatch', {
      where: path,
      why: `it has ${digest}, and the manifest names ${backbone.digest}.`,
    });
  }
  return { path, digest };
}

function resolveBackbonePath(uri: string, manifestFolder: string, where: string): string {
  if (uri.startsWith('file:///')) return fileURLToPath(uri);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1];
  if (scheme !== undefined && scheme !== 'file') {
    throw new CliError('BackboneFetchFailed', {
      where,
      why: `backbone.uri is ${uri}, and local mode reads files only.`,
      nextStep: 'Download the model and write file:PATH.',
    });
  }
  const path = uri.replace(/^file:(\/\/)?/, '');
  return isAbsolute(path) ? path : resolve(manifestFolder, path);
}

async function digestOf(path: string, where: string): Promise<string> {
  try {
    if (statSync(path).isDirectory()) {
      throw new CliError('BackboneFetchFailed', {
        where: path,
        why: 'it is a folder, and the engine here reads single ONNX files.',
        nextStep: 'Name the .onnx file in backbone.uri.',
      });
    }
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    return `sha256:${hash.digest('hex')}`;
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('BackboneFetchFailed', { where, why: `${messageOf(error)}.`, cause: error });
  }
}
