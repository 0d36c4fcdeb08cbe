import { readFile, writeFile } from 'node:fs/promises';
import { digestOf } from '../../../server/net/digest.ts';
import { CliError } from '../../errors.ts';
import { outputUnwritable } from '../output/write-output.ts';
import type { OpenedBundle } from './read-bundle.ts';

/** Writes the file of a bundle, never over another one. @returns whether it was there already. */
export async function writeBundleFile(
  path: string,
  { digest, bytes }: OpenedBundle,
): Promise<boolean> {
  try {
    await writeFile(path, bytes, { flag: 'wx' });
    return false;
  } catch (error) {
    if (!isThere(error)) throw outputUnwritable(path, error);
    const there = await readFile(path).catch(() => null);
    if (there !== null && digestOf(there) === digest) return true;
    throw new CliError('PlaceTaken', { where: path, why: `it is not ${digest}.`, cause: error });
  }
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
