import { gzipSync } from 'node:zlib';
import { renderColumns } from '../output/render-columns.ts';
import { writeOutput } from '../output/write-output.ts';
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
  await writeOutput(path, gzipSync(tarOf(files, folder, nowMs)));
}
