// A file of a model, as it lies on disk: every engine refuses what is not there, or is another one, in these words.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileProblem } from '../../core/system-error.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';

/** Of a model that is one file. @param called the file, in messages. Throws EngineError ModelMissing, DigestMismatch. */
export async function readModelFile(
  { path, digest: expected }: ModelSource,
  called = path,
): Promise<{ readonly bytes: Buffer; readonly digest: string }> {
  const bytes = await readBytes(path, 'check the path of the backbone', called);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (expected !== null && expected !== digest) {
    throw new EngineError(
      'DigestMismatch',
      `${path} has digest ${digest}, expected ${expected}; fetch the file again or correct the digest`,
    );
  }
  return { bytes, digest };
}

/** @param step what to do when it cannot be read. Throws EngineError ModelMissing. */
export async function readBytes(path: string, step: string, called = path): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const problem = fileProblem(error) ?? 'cannot be read';
    throw new EngineError('ModelMissing', `${called} ${problem}; ${step}`, { cause: error });
  }
}
