import { open, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseTfjsManifest } from '../core/tfjs/model-manifest.ts';
import type { ModelFormat } from './model-format.ts';
import { BACKBONE_FIELDS, type ModelFields } from './model-place.ts';
import { LoadError } from './load-error.ts';

const HEAD_BYTES = 4096;
/** What the manifest of a TensorFlow.js model is called in its folder. */
export const TFJS_MANIFEST = 'model.json';
const SAVED_MODEL = 'saved_model.pb';

interface Found {
  /** A format, or what else it is. */
  readonly format: string;
  /** The file that an engine opens. */
  readonly path: string;
}

/** What a file says it is by its first bytes; ONNX is protobuf without a mark, so it is what nothing else claims. */
async function detectFormat(path: string, fields: ModelFields): Promise<Found> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) return { format: 'ONNX', path };
  if (facts.isDirectory()) return detectInFolder(path, fields);
  if (basename(path) === SAVED_MODEL) return { format: 'SavedModel', path };
  const head = await readHead(path);
  const text = head.toString('latin1').trimStart();
  if (text.startsWith('{')) return { format: await tfjsFormat(path, fields), path };
  if (text.startsWith('<')) return { format: 'a web page', path };
  if (text.startsWith('PK\u0003\u0004')) return { format: 'a zip archive', path };
  if (head[0] === 0x1f && head[1] === 0x8b) return { format: 'a gzip archive', path };
  return { format: 'ONNX', path };
}

async function detectInFolder(path: string, fields: ModelFields): Promise<Found> {
  const has = (name: string): Promise<boolean> =>
    stat(join(path, name)).then(
      (facts) => facts.isFile(),
      () => false,
    );
  if (await has(TFJS_MANIFEST)) return detectFormat(join(path, TFJS_MANIFEST), fields);
  const isSaved = await has(SAVED_MODEL);
  return isSaved
    ? { format: 'SavedModel', path: join(path, SAVED_MODEL) }
    : { format: 'a folder', path };
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function tfjsFormat(path: string, { uri }: ModelFields): Promise<string> {
  const manifest = parseTfjsManifest(await readFile(path, 'utf8'));
  if (manifest.ok) return manifest.value.format;
  throw new LoadError(
    'BackboneLoadFailed',
    `${path} ${manifest.message}; convert the model again, or correct ${uri}.`,
  );
}

/**
 * Refuses a model that is not what was declared, or that no engine takes.
 * @returns the file to open: of a folder, the model.json or saved_model.pb in it.
 */
export async function checkFormat(
  given: string,
  declared: ModelFormat | null,
  fields: ModelFields = BACKBONE_FIELDS,
): Promise<string> {
  const { format, path } = await detectFormat(given, fields);
  if (declared !== null && declared !== format) {
    throw new LoadError(
      'BackboneLoadFailed',
      `${fields.format} is ${declared}, but ${given} is ${format}; correct ${fields.format} or the file.`,
    );
  }
  if (format === 'ONNX' || format === 'SavedModel' || format.startsWith('TFJS')) return path;
  throw new LoadError(
    'BackboneLoadFailed',
    `${given} is ${format}, no model; correct ${fields.uri} to name the model file itself.`,
  );
}
