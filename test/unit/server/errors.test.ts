import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS, ServingError, shown } from '../../../server/errors.ts';
import { VERSION } from '../../../server/version.ts';

interface CatalogueEntry {
  readonly status: number;
  readonly template: string;
  readonly retryAfterSeconds?: number;
}

const root = new URL('../../../', import.meta.url);

test('the table of the README is the catalogue, row by row and word by word', () => {
  const readme = readFileSync(new URL('server/README.md', root), 'utf8');
  const rows = [...readme.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| (.*) \|$/gm)].map((row) =>
    row.slice(1),
  );
  expect(rows).toEqual(
    Object.entries(ERRORS).map(([code, entry]) => {
      const { status, template, retryAfterSeconds }: CatalogueEntry = entry;
      const later = retryAfterSeconds === undefined ? '' : ` (Retry-After ${retryAfterSeconds})`;
      return [code, `${status}`, `${template}${later}`];
    }),
  );
});

test('every sentence names its values, and none is left open', () => {
  const error = new ServingError('wrong_datatype', {
    name: 'input',
    value: 'INT8',
    expected: 'FP32',
  });
  expect(error.message).toBe('Input input has datatype INT8; this model takes FP32.');
  expect(error.status).toBe(400);
  expect(new ServingError('queue_full', { value: 3 }).retryAfterSeconds).toBe(1);
});

test('what a client sent is shown short and printable', () => {
  expect(shown('a\u0000b\u00e9')).toBe('a?b?');
  expect(shown('x'.repeat(500))).toHaveLength(131);
  expect(shown(undefined)).toBe('missing');
  expect(shown([1, 2])).toBe('[1,2]');
});

test('the version is that of package.json', () => {
  const text = readFileSync(new URL('package.json', root), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
});
