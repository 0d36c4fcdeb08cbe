import type { JsonSchema } from '../../../../crds/schema/structural.ts';

/** Values around the bounds of one field, made from its schema. */

/** A value and whether the field takes it. */
export type SampleValue = readonly [value: unknown, isTaken: boolean];

const A_TIME = '2026-11-25T10:00:00Z';

function taken(...values: unknown[]): SampleValue[] {
  return values.map((value) => [value, true]);
}

function refused(...values: unknown[]): SampleValue[] {
  return values.map((value) => [value, false]);
}

/** Beginnings of texts that some pattern of ours wants. */
const BEGINNINGS = ['', 'A', 'https://', 's3://'];

function matches({ pattern }: JsonSchema, text: string): boolean {
  return typeof pattern !== 'string' || new RegExp(pattern).test(text);
}

/** A text of exactly this many characters that fits the pattern, or null where none of our beginnings does. */
function textOf(schema: JsonSchema, length: number): string | null {
  const texts = BEGINNINGS.map((beginning) => beginning.padEnd(length, 'a'));
  return texts.find((text) => text.length === length && matches(schema, text)) ?? null;
}

function enumValues(values: readonly unknown[]): SampleValue[] {
  const other = String(values[0]).toLowerCase();
  return [...taken(...values), ...refused('Nope', '', 1, values.includes(other) ? 'NOPE' : other)];
}

function integerValues({ minimum = 0, maximum = 0 }: JsonSchema): SampleValue[] {
  const wrong: unknown[] = [minimum - 1, minimum + 0.5, String(minimum), true];
  if (maximum < Number.MAX_SAFE_INTEGER) wrong.push(maximum + 1);
  return [...taken(minimum, maximum), ...refused(...wrong)];
}

/** Neighbours of a percentage such as `0.1%` in the last decimal that the pattern has. */
function nearPercent(text: string, step: number): string {
  return `${(Number(text.slice(0, -1)) + step).toFixed(4)}%`;
}

const MALFORMED_PERCENTS = [
  '1e1%',
  '1',
  '',
  '1.5',
  '-1%',
  ' 1%',
  '1%\n',
  '100.0%',
  '1.23456%',
  '１%',
  '0x1%',
  '.5%',
];

function percentValues(min: string, max: string): SampleValue[] {
  const beyond = [nearPercent(max, 0.0001), nearPercent(min, -0.0001)];
  return [...taken(min, max), ...refused(...beyond, ...MALFORMED_PERCENTS, 0.01, 1)];
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(text: string): number {
  return Number.parseInt(text, 10) * Number(UNIT_MS[text.replace(/\d+/, '')]);
}

const MALFORMED_DURATIONS = [
  '1',
  '',
  '1d',
  '-1m',
  '1.5h',
  '1h 1m',
  '1m\n',
  '100000s',
  '1h1h1h1h1h',
  'm',
  '１m',
];

function durationValues(min: string, max: string): SampleValue[] {
  const [least, most] = [milliseconds(min), milliseconds(max)];
  const spelt = (ms: number): string => `${Math.floor(ms / 60_000)}m${ms % 60_000}ms`;
  const beyond = least === 0 ? [spelt(most + 1)] : [spelt(most + 1), spelt(least - 1)];
  const hourAndMore: SampleValue = ['1h60m', least <= 7_200_000 && most >= 7_200_000];
  return [...taken(min, max), hourAndMore, ...refused(...beyond, ...MALFORMED_DURATIONS, 60)];
}

function sizeValues(): SampleValue[] {
  const wrong = ['0', '0Ki', '', '1M', '1.5Mi', '-1', '1ki', '1Mi\n', '01', 100, '12345678901'];
  return [
    ...taken('1', '16Mi', '1Gi', '1024Mi', '1025Mi', '1073741825', '2Gi'),
    ...refused(...wrong),
  ];
}

function timeValues(): SampleValue[] {
  const wrong = ['yesterday', '2026-11-25', '2026-13-01T00:00:00Z', '2026-11-25T25:00:00Z', '', 0];
  return [...taken(A_TIME, '2026-11-25T10:00:00.123456+02:00'), ...refused(...wrong)];
}

function textValues(schema: JsonSchema): SampleValue[] {
  const max = Number(schema.maxLength);
  const longest = textOf(schema, max);
  const odd = ['', 'a b', 'Ä', 'a\u0000', '-', '日'.repeat(Math.min(max, 8)), '\n'];
  const fits = (text: string): boolean =>
    matches(schema, text) && Array.from(text).length >= Number(schema.minLength ?? 0);
  const values: SampleValue[] = [
    ...odd.map((text): SampleValue => [text, fits(text)]),
    ...refused(1, true, {}, []),
  ];
  if (longest !== null) values.push([longest, true], [`${longest}a`, false]);
  // A character outside the basic plane counts once for the API server and twice in JavaScript.
  const astral = '😀'.repeat(max);
  if (matches(schema, astral)) values.push([astral, true], [`${astral}a`, false]);
  if (schema.example !== undefined) values.push([schema.example, true]);
  return values;
}

function unionValues(schema: JsonSchema): SampleValue[] {
  const isPercent = schema.anyOf?.some(({ pattern }) => pattern !== undefined) ?? false;
  if (!isPercent) return [...taken(1, '12Gi'), ...refused(true, 0.5, {}, 'a'.repeat(65))];
  return [
    ...taken(0, 1000, '0%', '100%', '25%'),
    ...refused(-1, 1001, '101%', '00%', '1', '', 1.5, true, '%', 'a'.repeat(65)),
  ];
}

function stringValues(schema: JsonSchema): SampleValue[] {
  if (schema.format === 'date-time') return timeValues();
  const [min, max] = (schema.bounds ?? '').split(' to ');
  const hasOwnRule = schema['x-kubernetes-validations'] !== undefined;
  if (hasOwnRule && min !== undefined && max !== undefined) {
    return min.endsWith('%') ? percentValues(min, max) : durationValues(min, max);
  }
  return schema.bounds === 'at most 1024Mi' ? sizeValues() : textValues(schema);
}

/** Values of a field that has no fields of its own. */
export function sampleValues(schema: JsonSchema): SampleValue[] {
  if (schema.anyOf !== undefined) return unionValues(schema);
  if (schema.enum !== undefined) return enumValues(schema.enum);
  if (schema.type === 'integer') return integerValues(schema);
  if (schema.type === 'boolean') return [...taken(true, false), ...refused('true', 0, {})];
  return stringValues(schema);
}

/** Some value that the field takes. */
export function anyValue(schema: JsonSchema): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.type === 'object') return requiredFields(schema);
  if (schema.type === 'array') return manyItems(schema.items ?? {}, Number(schema.minItems ?? 0));
  return sampleValues(schema).find(([, isTaken]) => isTaken)?.[0];
}

/** The smallest object that the schema takes. */
export function requiredFields(schema: JsonSchema): Record<string, unknown> {
  const names = schema.required ?? [];
  return Object.fromEntries(names.map((name) => [name, anyValue(schema.properties?.[name] ?? {})]));
}

/** The i-th of many different names; beyond the values of an enum they repeat, which is refused as well. */
function nameOf(schema: JsonSchema, i: number): unknown {
  if (schema.enum !== undefined) return schema.enum[i % schema.enum.length];
  return matches(schema, `A${i}`) ? `A${i}` : `a${i}`;
}

/** Items that differ in what must be unique. */
export function manyItems(items: JsonSchema, count: number): unknown[] {
  const key = ['name', 'type'].find((name) => items.properties?.[name] !== undefined);
  return Array.from({ length: count }, (_, i) => {
    if (items.type !== 'object') return nameOf(items, i);
    if (key === undefined) return requiredFields(items);
    return { ...requiredFields(items), [key]: nameOf(items.properties?.[key] ?? {}, i) };
  });
}
