import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../../errors.ts';

export interface Asset {
  readonly contentType: string;
  readonly bytes: Buffer;
}

const FILES: Readonly<Record<string, readonly [file: string, contentType: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** The bundled page, by path. Read once: whatever is asked for later, no path reaches the file system. */
export function loadAssets(bundleDir: string): ReadonlyMap<string, Asset> {
  return new Map(
    Object.entries(FILES).map(([path, [file, contentType]]) => [
      path,
      { contentType, bytes: readAsset(join(bundleDir, 'page', file)) },
    ]),
  );
}

function readAsset(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError('ProgramMissing', {
      where: path,
      why: 'the page is not bundled.',
      nextStep: 'Run `npm run build`; a local run can do without its page by --no-dashboard.',
      cause: error,
    });
  }
}
