import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of `file:PATH`, or of a path alone; a relative one is relative to the manifest's folder. */
export function pathOfFileUri(uri: string, manifestFolder: string): string {
  if (uri.startsWith('file:///')) return fileURLToPath(uri);
  const path = uri.replace(/^file:(\/\/)?/, '');
  return isAbsolute(path) ? path : resolve(manifestFolder, path);
}
