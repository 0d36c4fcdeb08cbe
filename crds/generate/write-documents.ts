import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Path from the repository root -> text. */
export type Documents = Readonly<Record<string, string>>;

/**
 * What a generator does with its documents. With --check nothing is written: a file that differs from its source is
 * named, and the exit code is 1.
 */
export function writeOrCheck(documents: Documents): void {
  if (process.argv.includes('--check')) check(documents);
  else write(documents);
}

function write(documents: Documents): void {
  for (const [path, text] of Object.entries(documents)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

function check(documents: Documents): void {
  const stale = Object.entries(documents).filter(([path, text]) => read(path) !== text);
  for (const [path] of stale) {
    process.stderr.write(`${path} is not what its source gives: run \`npm run generate\`.\n`);
  }
  if (stale.length > 0) process.exitCode = 1;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
