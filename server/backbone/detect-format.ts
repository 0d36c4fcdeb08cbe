import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FormatSetting } from '../config.ts';
import { LoadError } from './load-error.ts';

const HEAD_BYTES = 4096;

/** What a file says it is by its first bytes; ONNX is protobuf without a mark, so it is what nothing else claims. */
async function detectFormat(path: string): Promise<string> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) return 'ONNX';
  if (facts.isDirectory()) {
    const saved = await stat(join(path, 'saved_model.pb')).catch(() => null);
    return saved === null ? 'a folder' : 'SavedModel';
  }
  const head = await readHead(path);
  const text = head.toString('latin1').trimStart();
  if (text.startsWith('{'))
    return text.includes('layers-model') ? 'TFJSLayersModel' : 'TFJSGraphModel';
  if (text.startsWith('<')) return 'a web page';
  if (text.startsWith('PK\u0003\u0004')) return 'a zip archive';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'a gzip archive';
  return 'ONNX';
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

/** Refuses a backbone that is not what was declared, or that no engine of this image takes. */
export async function checkFormat(path: string, declared: FormatSetting | null): Promise<void> {
  const found = await detectFormat(path);
  if (declared !== null && declared !== found) {
    throw new LoadError(
      'BackboneLoadFailed',
      `backbone.format is ${declared}, but ${path} is ${found}; correct backbone.format or the file.`,
    );
  }
  if (found === 'ONNX') return;
  if (found === 'SavedModel' || found.startsWith('TFJS')) {
    throw new LoadError(
      'EngineUnavailable',
      `${path} is ${found}, and this image has the engine ONNX only; convert the model to ONNX.`,
    );
  }
  throw new LoadError(
    'BackboneLoadFailed',
    `${path} is ${found}, no model; correct backbone.uri to name the model file itself.`,
  );
}
