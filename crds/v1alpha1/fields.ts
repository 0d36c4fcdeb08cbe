import { z } from 'zod';

import { BYTE_SIZE_PATTERN, parseByteSize } from './byte-size.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { parsePercent, PERCENT_PATTERN } from './percent.ts';

/**
 * Builders of the field types of the API (api.md 2). In a manifest percents, durations and sizes are strings; after
 * `parse` they are ratios, milliseconds and bytes. `bounds` and `computed` are for the field reference, `example` also
 * for the fix that a refused manifest gets.
 */

/** What the field reference and the messages say about a field. */
export interface FieldNotes {
  readonly description: string;
  readonly bounds?: string;
  readonly example?: unknown;
  /** How the controller computes the value when it is absent. */
  readonly computed?: string;
}

interface BoundedText {
  readonly pattern: RegExp;
  readonly parse: (text: string) => number;
  readonly noun: string;
}

/** Lower bound, upper bound, and the value that messages show, all as they stand in a manifest. */
export type Bounds = readonly [min: string, max: string, example: string];

function boundedText(
  { pattern, parse, noun }: BoundedText,
  [min, max, example]: Bounds,
): z.ZodString {
  const message = `write a ${noun} between ${min} and ${max}, for example "${example}"`;
  return z
    .string(`expected a ${noun} string: ${message}`)
    .regex(pattern, { message, abort: true })
    .refine((text) => parse(text) >= parse(min) && parse(text) <= parse(max), message);
}

const percentText: BoundedText = {
  pattern: PERCENT_PATTERN,
  parse: parsePercent,
  noun: 'percentage',
};
const durationText: BoundedText = {
  pattern: DURATION_PATTERN,
  parse: parseDuration,
  noun: 'duration',
};

function withBounds(notes: FieldNotes, [min, max, example]: Bounds): Record<string, unknown> {
  return { bounds: `${min} to ${max}`, example, ...notes };
}

type TextToNumber<T extends z.ZodType> = z.ZodPipe<T, z.ZodTransform<number, string>>;

/** A required percentage; its value is a ratio. */
export function percent(bounds: Bounds, notes: FieldNotes): TextToNumber<z.ZodString> {
  return boundedText(percentText, bounds).transform(parsePercent).meta(withBounds(notes, bounds));
}

/** A percentage with a default; its value is a ratio. */
export function percentOr(
  fallback: string,
  bounds: Bounds,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  return boundedText(percentText, bounds)
    .default(fallback)
    .transform(parsePercent)
    .meta(withBounds(notes, bounds));
}

/** A duration with a default; its value is in milliseconds. */
export function durationOr(
  fallback: string,
  bounds: Bounds,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  return boundedText(durationText, bounds)
    .default(fallback)
    .transform(parseDuration)
    .meta(withBounds(notes, bounds));
}

/** A size with a default; its value is in bytes. Its upper bound is a rule. */
export function byteSizeOr(
  fallback: string,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  const message = 'write a size in bytes, Ki, Mi or Gi, for example "16Mi"';
  return z
    .string(`expected a size string: ${message}`)
    .regex(BYTE_SIZE_PATTERN, message)
    .default(fallback)
    .transform(parseByteSize)
    .meta({ ...notes });
}

/** A whole number in a range. */
export function wholeNumber(min: number, max: number, notes: FieldNotes): z.ZodInt32 {
  const message = `write a whole number between ${min} and ${max}`;
  return z
    .int32(message)
    .min(min, message)
    .max(max, message)
    .meta({ ...notes });
}

/** A DNS label; names of services, exits and revisions. */
export function label(maxLength: number, notes: FieldNotes): z.ZodString {
  const message = `write at most ${maxLength} of a-z, 0-9 and '-', beginning and ending with a letter or digit`;
  return z
    .string()
    .max(maxLength, { message, abort: true })
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, message)
    .meta({ bounds: `DNS label of at most ${maxLength} characters`, ...notes });
}

/** Name of another object in the same namespace. */
export function objectName(description: string): z.ZodString {
  const message = "write an object name: a-z, 0-9, '-' and '.', at most 253 characters";
  return z
    .string()
    .max(253, { message, abort: true })
    .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, message)
    .meta({ description, bounds: 'object name of at most 253 characters' });
}

/** A text with a greatest length. */
export function text(maxLength: number, notes: FieldNotes): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .meta({ bounds: `1 to ${maxLength} characters`, ...notes });
}

/** A Kubernetes type that is open here: the API server checks it in a dry run. */
export function raw(description: string): z.ZodObject<z.core.$ZodLooseShape, z.core.$loose> {
  return z.looseObject({}).meta({ description, bounds: 'Kubernetes object' });
}

/** A list of Kubernetes objects that are open here. */
export function rawList(
  maxItems: number,
  description: string,
): z.ZodArray<z.ZodObject<z.core.$ZodLooseShape, z.core.$loose>> {
  return z
    .array(z.looseObject({}))
    .max(maxItems)
    .meta({ description, bounds: `Kubernetes objects, at most ${maxItems}` });
}

/** Labels, annotations, selectors. */
export function stringMap(description: string): z.ZodRecord<z.ZodString, z.ZodString> {
  return z
    .record(z.string().max(317), z.string().max(4096))
    .refine((map) => Object.keys(map).length <= 32, 'write at most 32 entries')
    .meta({ description, bounds: 'at most 32 entries' });
}

/** `sha256:` and 64 hexadecimal digits. */
export function digest(notes: FieldNotes): z.ZodString {
  return z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'write sha256: and 64 lower-case hexadecimal digits')
    .meta({ bounds: 'sha256:<64 hex>', ...notes });
}

/** Where a model lies. */
export function modelUri(description: string): z.ZodString {
  return z
    .string()
    .max(1024)
    .regex(
      /^((https?|s3|oci|pvc):\/\/\S+|file:\S+)$/,
      'write a URI with https, http, s3, oci, pvc or file, for example "https://models.example.com/resnet18.onnx"',
    )
    .meta({
      description,
      bounds: 'https, http, s3, oci, pvc, file; at most 1024 characters',
      example: 'https://models.example.com/resnet18.onnx',
    });
}
