import { ServingError, shown } from '../errors.ts';
import { jsonDepth } from './json-depth.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Bytes -> the object that they are in JSON, no deeper than allowed. */
export function parseJsonObject(json: Buffer, maxDepth: number): Fields {
  if (jsonDepth(json, maxDepth) > maxDepth) {
    throw new ServingError('malformed_json', { detail: `it is nested deeper than ${maxDepth}.` });
  }
  let value: unknown;
  try {
    value = JSON.parse(json.toString('utf8'));
  } catch (cause) {
    throw new ServingError(
      'malformed_json',
      { detail: json.length === 0 ? 'it is empty.' : 'it does not parse.' },
      { cause },
    );
  }
  if (isFields(value)) return value;
  throw new ServingError('malformed_json', { detail: 'it is not an object.' });
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function optionalFields(value: unknown, field: string): Fields {
  if (value === undefined) return {};
  if (isFields(value)) return value;
  throw new ServingError('malformed_request', {
    field: `Field ${field}`,
    value: shown(value),
    fix: 'send an object.',
  });
}
