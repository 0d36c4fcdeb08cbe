// Before long tests: `dist/bundle` is of the sources that lie here. Half an hour on an older one says nothing.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

const RECORD = 'dist/bundle/sources.json';
const NEXT = 'run node operator/bundle/bundle.mjs (npm run test:long does)';

/** @throws Error that names a file which changed since, and the next step. */
export function setup(): void {
  if (!existsSync(RECORD)) throw new Error(`${RECORD} is missing: ${NEXT}`);
  const digests = JSON.parse(readFileSync(RECORD, 'utf8')) as Readonly<Record<string, string>>;
  const changed = Object.entries(digests).flatMap(([path, digest]) =>
    existsSync(path) && digestOf(path) === digest ? [] : [path],
  );
  const [first, ...others] = changed;
  if (first === undefined) return;
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  throw new Error(`dist/bundle was made before ${first}${more} changed: ${NEXT}`);
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
