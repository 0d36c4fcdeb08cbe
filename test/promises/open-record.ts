import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('../../dist/promises/', import.meta.url);

/**
 * What a test measured for a promise of promises.json. Opened at the top of its file: the last record goes, so that a test that
 * fails leaves none. Written again, the later figures stand.
 */
export function openRecord(name: string): (figures: Readonly<Record<string, number>>) => void {
  const file = new URL(`${name}.json`, FOLDER);
  rmSync(file, { force: true });
  return (figures) => {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, JSON.stringify(figures));
  };
}
