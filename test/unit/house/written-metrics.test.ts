import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SERVER_METRICS } from '../../../crds/metrics/catalogue.ts';
import { OPERATOR_METRICS } from '../../../crds/metrics/operator-catalogue.ts';

// A family that nothing writes shows 0 or nothing for ever, and people build alerts on it.

/** All code of a folder as one text. */
function codeOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(`${folder}/${path}`, 'utf8'))
    .join('\n');
}

test.each([
  ['server', SERVER_METRICS, 'metrics'],
  ['operator', OPERATOR_METRICS, 'handles'],
] as const)('every family of the %s is written somewhere', (folder, families, handle) => {
  const code = codeOf(folder);
  const isWritten = (key: string): boolean =>
    new RegExp(`\\b${handle}\\.${key}\\b(?!\\.labels)`).test(code);
  expect(Object.keys(families).filter((key) => !isWritten(key))).toEqual([]);
});
