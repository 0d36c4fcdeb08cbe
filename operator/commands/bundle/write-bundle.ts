import { writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { renderColumns } from '../output/render-columns.ts';
import type { GatheredBundle } from './gather-bundle.ts';
import { tarOf, type ArchiveFile } from './write-tar.ts';

/** What the archive will hold, for people to look at first. */
export function renderContents({ files, missing }: GatheredBundle): string[] {
  const size = ({ text }: ArchiveFile): string => String(Buffer.byteLength(text));
  return [
    ...renderColumns(
      ['FILE', 'BYTES'],
      files.map((file) => [file.path, size(file)]),
      ['BYTES'],
    ),
    ...missing.map((one) => `not in it: ${one}`),
    'Secrets are not read. Environment values, arguments, credentials in addresses and signed addresses are left out; inputs of requests stand nowhere.',
  ];
}

/** Writes `FILE.tar.gz`, everything below one folder. */
export async function writeBundle(
  { files }: GatheredBundle,
  {
    path,
    folder,
    nowMs,
  }: { readonly path: string; readonly folder: string; readonly nowMs: number },
): Promise<void> {
  try {
    await writeFile(path, gzipSync(tarOf(files, folder, nowMs)));
  } catch (error) {
    throw new CliError('FolderUnwritable', {
      where: path,
      why: `${errorText(error, 'write')}.`,
      nextStep: 'Name another file with --to.',
      cause: error,
    });
  }
}
