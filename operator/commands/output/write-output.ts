import { writeFile } from 'node:fs/promises';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';

/** Writes the file that --to names. */
export async function writeOutput(path: string, content: Uint8Array): Promise<void> {
  try {
    await writeFile(path, content);
  } catch (error) {
    throw outputUnwritable(path, error);
  }
}

export function outputUnwritable(path: string, error: unknown): CliError {
  return new CliError('FolderUnwritable', {
    where: path,
    why: `${errorText(error, 'write')}.`,
    nextStep: 'Name another file with --to.',
    cause: error,
  });
}
