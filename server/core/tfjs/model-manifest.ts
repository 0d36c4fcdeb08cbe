// What model.json of a TensorFlow.js model says about its files, before anything is loaded.
import type { Result } from '../../../crds/wire/result.ts';
import { membersOf } from './json-members.ts';

export type TfjsFormat = 'TFJSGraphModel' | 'TFJSLayersModel';

export interface TfjsManifest {
  readonly format: TfjsFormat;
  /** Weight files in their order, each once, relative to the folder of model.json. */
  readonly weightPaths: readonly string[];
}

const MAX_WEIGHT_FILES = 10_000;
const MAX_PATH = 1024;

/** @param text the file. @returns what is wrong as the end of a sentence that starts with the file's name. */
export function parseTfjsManifest(text: string): Result<TfjsManifest> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const { format, modelTopology, weightsManifest } = membersOf(value);
  const found = formatOf(format, membersOf(modelTopology));
  if (found === null)
    return refuse('is JSON, but no TensorFlow.js model (it has no modelTopology)');
  const paths = weightPathsOf(weightsManifest);
  if (paths === null) return refuse('names no weight files (weightsManifest[].paths)');
  if (paths.length > MAX_WEIGHT_FILES) {
    return refuse(`names ${paths.length} weight files, more than ${MAX_WEIGHT_FILES}`);
  }
  const strange = paths.find((path) => !isWeightPath(path));
  if (strange !== undefined) {
    return refuse(`names the weight file ${JSON.stringify(strange)}, which is no file beside it`);
  }
  return { ok: true, value: { format: found, weightPaths: [...new Set(paths)] } };
}

/**
 * The text whose sha256 is the digest of a model of several files (`api.md` 2): for a folder of these files alone, what
 * `sha256sum * | LC_ALL=C sort` prints. The manifest is called model.json, wherever it came from; layercache.json is not part.
 */
export function tfjsListing(
  manifestSha256: string,
  weights: readonly { readonly path: string; readonly sha256: string }[],
): string {
  return [{ path: 'model.json', sha256: manifestSha256 }, ...weights]
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('');
}

/** The format by its name, or by the topology of files from before it had one. */
function formatOf(format: unknown, topology: Readonly<Record<string, unknown>>): TfjsFormat | null {
  if ('node' in topology) return format === 'layers-model' ? null : 'TFJSGraphModel';
  const hasLayers = 'model_config' in topology || 'config' in topology;
  return hasLayers && format !== 'graph-model' ? 'TFJSLayersModel' : null;
}

function weightPathsOf(manifest: unknown): readonly string[] | null {
  if (!Array.isArray(manifest)) return null;
  const paths: unknown[] = manifest.flatMap((group: unknown) => {
    const { paths: own } = membersOf(group);
    return Array.isArray(own) ? (own as unknown[]) : [null];
  });
  return paths.every((path) => typeof path === 'string') ? paths : null;
}

/** A plain relative path, not of a file that says what the model is: it comes from a file that someone else wrote. */
function isWeightPath(path: string): boolean {
  const parts = path.split('/');
  return (
    !path.endsWith('.json') &&
    path.length <= MAX_PATH &&
    /^[^\\:%?#\0]+$/.test(path) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

function refuse(message: string): Result<TfjsManifest> {
  return { ok: false, code: 'ModelUnreadable', message };
}
