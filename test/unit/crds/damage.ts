import fc from 'fast-check';
import { expect } from 'vitest';

import { canonicalJson } from '../../../crds/wire/json.ts';
import type { Result } from '../../../crds/wire/result.ts';

/** Ways to damage a document or a binary file, and the one thing that must hold then: refused, or read as it stands. */

export const SEED = 20_261_125;

type Path = readonly (string | number)[];

/** Paths of every value below the root. */
function pathsOf(value: unknown, prefix: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return prefix.length === 0 ? [] : [prefix];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const below = entries.flatMap(([key, item]) => pathsOf(item, [...prefix, key]));
  return prefix.length === 0 ? below : [prefix, ...below];
}

type Holder = Record<string | number, unknown>;

function holderAt(root: unknown, path: Path): Holder {
  return path.slice(0, -1).reduce<unknown>((value, key) => (value as Holder)[key], root) as Holder;
}

export const WRONG_VALUES: readonly unknown[] = [
  null,
  '',
  'x',
  '__proto__',
  -1,
  0,
  0.5,
  2 ** 53,
  1e300,
  true,
  [],
  {},
  { __proto: 1 },
  [[[]]],
];

/** Every document that differs in one field: removed, joined by an unknown one, or of another value. */
export function withOneFieldDamaged(text: string): string[] {
  const original: unknown = JSON.parse(text);
  const damaged: string[] = [];
  const change = (path: Path, edit: (holder: Holder, key: string | number) => void): void => {
    const copy: unknown = JSON.parse(text);
    edit(holderAt(copy, path), path.at(-1)!);
    damaged.push(JSON.stringify(copy));
  };
  for (const path of pathsOf(original)) {
    for (const value of WRONG_VALUES) {
      change(path, (holder, key) => {
        holder[key] = value;
      });
    }
    change(path, (holder, key) => {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(holder, key);
    });
    change(path, (holder) => {
      if (Array.isArray(holder)) holder.push(holder[0]);
      else holder.unknownField = 1;
    });
  }
  return damaged;
}

/** Texts in which one to three characters were changed, removed or put in. */
export function withDamagedCharacters(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length - 1),
    cut: fc.nat(2),
    put: fc.constantFrom(
      '',
      '0',
      '9',
      '-',
      '"',
      ',',
      '{',
      '}',
      '[',
      ']',
      'e',
      '.',
      'a',
      ' ',
      '\\',
      ':',
    ),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map((edits) =>
      edits.reduce((now, { at, cut, put }) => now.slice(0, at) + put + now.slice(at + cut), text),
    );
}

/** Files in which up to three bytes were cut and up to four put in. */
export function withDamagedBytes(original: Uint8Array): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.nat(original.length - 1), fc.nat(3), fc.uint8Array({ maxLength: 4 }))
    .map(([at, cut, put]) =>
      Buffer.concat([original.subarray(0, at), put, original.subarray(at + cut)]),
    )
    .filter((bytes) => !bytes.equals(original));
}

/** JSON header and blob of a binary file (`crds/wire/binary-file.ts`), without its checksum. */
export function takeApart(file: Uint8Array): {
  readonly header: string;
  readonly blob: Uint8Array;
} {
  const bytes = Buffer.from(file);
  const blobStart = 12 + bytes.readUInt32LE(8);
  return {
    header: bytes.subarray(12, blobStart).toString('latin1'),
    blob: file.slice(blobStart, -4),
  };
}

/** Refused with a sentence, or a whole document: what is read says exactly what the text says. */
export function expectRefusedOrWhole<T>(
  text: string,
  outcome: Result<T>,
  serialize: (value: T) => string,
): void {
  if (outcome.ok) {
    expect(serialize(outcome.value)).toBe(canonicalJson(JSON.parse(text)));
    return;
  }
  expect(outcome.message).toMatch(/^[a-z][a-z ]+ refused: .+; .+\.$/s);
}
