import { MalformedJsonError } from '../core/json/malformed-json-error.ts';
import { JsonReader, type MemberKind } from '../core/json/json-reader.ts';
import { NumberTensor } from '../core/json/number-tensor.ts';
import { ServingError, shown } from '../errors.ts';
import type { RequestLimits } from '../limits.ts';
import { MAX_JSON_VALUES } from '../limits.ts';
import type { Gate } from './gate.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What JSON is read for; whatever else it holds is checked and left out. */
export type JsonMembers = ReadonlyMap<string, MemberKind>;

/** Read at once: a quarter of a millisecond of usual numbers, at most some seven of the dearest JSON (measured). */
export const SLICE_BYTES = 64 * 1024;

export function createJsonReader(
  json: Buffer,
  members: JsonMembers,
  limits: RequestLimits,
): JsonReader {
  return new JsonReader(json, {
    members,
    maxDepth: limits.maxJsonDepth,
    maxValues: MAX_JSON_VALUES,
    maxElements: limits.maxTensorElements,
    decode: (from, to) => json.toString('utf8', from, to),
  });
}

/** The object that the bytes are, all at once. */
export function readJsonObject(reader: JsonReader): Fields {
  while (!readSlice(reader));
  return rootOf(reader);
}

export interface Turns {
  /** Lets one long reader read at a time. */
  readonly gate: Gate;
  /** Resolves when the event loop has seen to everything else. */
  readonly nextTurn: () => Promise<void>;
  /** Throws when nobody waits for the object any more. */
  readonly check: () => void;
}

/** The same for bytes that are more than one slice: between slices the event loop goes on. */
export async function readJsonInTurns(
  reader: JsonReader,
  { gate, nextTurn, check }: Turns,
): Promise<Fields> {
  if (readSlice(reader)) return rootOf(reader);
  return gate.run(async () => {
    do {
      await nextTurn();
      check();
    } while (!readSlice(reader));
    return rootOf(reader);
  });
}

function readSlice(reader: JsonReader): boolean {
  try {
    return reader.read(SLICE_BYTES);
  } catch (error) {
    if (!(error instanceof MalformedJsonError)) throw error;
    throw new ServingError('malformed_json', { detail: error.message }, { cause: error });
  }
}

function rootOf({ value }: JsonReader): Fields {
  if (isFields(value)) return value;
  throw new ServingError('malformed_json', { detail: 'it is not an object.' });
}

export function isFields(value: unknown): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof NumberTensor)
  );
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
