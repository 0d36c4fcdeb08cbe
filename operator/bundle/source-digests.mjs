import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** SHA-256 in hex of every file of this repository among the inputs of esbuild, by its path from the root. */
export function digestsOf(inputs) {
  const paths = Object.keys(inputs).filter((path) => !path.includes('node_modules/'));
  return Object.fromEntries(paths.sort().map((path) => [path, digestOf(path)]));
}

function digestOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
