import type { z } from 'zod';

import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';

/** What a document is called in messages, how large it may be, and what a person does when it is refused. */
export interface DocumentKind {
  readonly name: string;
  readonly maxBytes: number;
  readonly nextStep: string;
  /** Schema versions that are read, oldest first. @defaultValue only 1 */
  readonly schemaVersions?: readonly number[];
}

/** A refusal in one sentence: document, field, value, then the next step. */
export function refuse(
  kind: DocumentKind,
  code: string,
  what: string,
): { readonly ok: false; readonly code: string; readonly message: string } {
  return { ok: false, code, message: `${kind.name} refused: ${what}; ${kind.nextStep}.` };
}

interface Scope {
  /** Keys seen so far; null inside an array. */
  readonly keys: Set<string> | null;
}

const CODE = {
  ...{ quote: 0x22, backslash: 0x5c, colon: 0x3a },
  ...{ openBrace: 0x7b, closeBrace: 0x7d, openBracket: 0x5b, closeBracket: 0x5d },
} as const;

/** Position just behind the string that starts at `start`. An unterminated one ends the text. */
function stringEnd(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote >= 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote < 0 ? text.length : quote + 1;
}

/** Behind an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === CODE.backslash) before--;
  return (at - before) % 2 === 1;
}

function unquote(raw: string): string {
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    return String(JSON.parse(raw));
  } catch {
    return raw;
  }
}

/**
 * Looks at nesting and keys before JSON.parse, which accepts five million levels, keeps the last of two equal keys,
 * and makes an own property of `__proto__`. Text that is no JSON passes or fails here; JSON.parse has the last word.
 */
function findStructureProblem(text: string): string | null {
  const scopes: Scope[] = [];
  for (let i = 0; i < text.length;) {
    const code = text.charCodeAt(i);
    if (code === CODE.quote) {
      const end = stringEnd(text, i);
      const problem = findKeyProblem(text, scopes.at(-1), i, end);
      if (problem !== null) return problem;
      i = end;
      continue;
    }
    if (code === CODE.openBrace) scopes.push({ keys: new Set() });
    else if (code === CODE.openBracket) scopes.push({ keys: null });
    else if (code === CODE.closeBrace || code === CODE.closeBracket) scopes.pop();
    if (scopes.length > WIRE_LIMITS.jsonDepth) {
      return `it nests deeper than ${WIRE_LIMITS.jsonDepth} levels`;
    }
    i++;
  }
  return null;
}

/** White space of JSON, and all else below it, which JSON.parse refuses. */
function isSpace(code: number): boolean {
  return code <= 0x20;
}

function findKeyProblem(
  text: string,
  scope: Scope | undefined,
  start: number,
  end: number,
): string | null {
  const keys = scope?.keys;
  if (keys === undefined || keys === null) return null;
  let after = end;
  while (isSpace(text.charCodeAt(after))) after++;
  if (text.charCodeAt(after) !== CODE.colon) return null;
  const key = unquote(text.slice(start, end));
  if (key === '__proto__') return 'field "__proto__" is not allowed';
  if (keys.has(key)) return `field ${JSON.stringify(key)} stands twice in one object`;
  keys.add(key);
  return null;
}

/** Text -> JSON value. Size, nesting, duplicate keys and `__proto__` are refused before anything is built. */
export function readJson(text: string, kind: DocumentKind): Result<unknown> {
  if (text.length > kind.maxBytes) {
    return refuse(
      kind,
      'TooLarge',
      `it has ${text.length} bytes, at most ${kind.maxBytes} are allowed`,
    );
  }
  const problem = findStructureProblem(text);
  if (problem !== null) return refuse(kind, 'Malformed', problem);
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return refuse(kind, 'Malformed', `it is not JSON (${String(error)})`);
  }
}

/** `['exits', 0, 'name']` -> `exits[0].name`; the root is `document`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const part of path) {
    text += typeof part === 'number' ? `[${part}]` : `${text === '' ? '' : '.'}${String(part)}`;
  }
  return text === '' ? 'document' : text;
}

/** A value as it stands in a message, at most 60 characters. */
export function showValue(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** The value at a path, undefined where there is none. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}

/** Checks a JSON value against a strict schema; the first problem becomes the message. Nothing of a refused value is kept. */
export function checkShape<T>(value: unknown, schema: z.ZodType<T>, kind: DocumentKind): Result<T> {
  const version = valueAt(value, ['schemaVersion']);
  const { schemaVersions = [1] } = kind;
  if (!schemaVersions.some((known) => known === version)) {
    const read = schemaVersions.join(' and ');
    const what = `field "schemaVersion" is ${showValue(version)}, this program reads ${read}`;
    return refuse(kind, 'UnknownSchema', what);
  }
  const outcome = schema.safeParse(value);
  if (outcome.success) return { ok: true, value: outcome.data };
  const whats = outcome.error.issues.map(
    ({ path, message }) =>
      `field "${formatPath(path)}" is ${showValue(valueAt(value, path))}: ${message}`,
  );
  return refuse(kind, 'Invalid', String(whats[0]));
}

/**
 * JSON with sorted keys, without white space and undefined fields: equal values have one text. Numbers must be finite
 * (a NaN becomes null, which every parser here refuses).
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (const key of Object.keys(fields).sort()) {
    const field = fields[key];
    if (field === undefined) continue;
    if (text !== '') text += ',';
    text += `${JSON.stringify(key)}:${canonicalJson(field)}`;
  }
  return `{${text}}`;
}
