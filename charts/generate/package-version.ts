import { readFileSync } from 'node:fs';

/** Of the package in the current folder. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return version;
}
