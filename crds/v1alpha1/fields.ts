import { z } from 'zod';

import {
  boundedText,
  boundedTextMeta,
  DURATION_UNIT,
  PERCENT_UNIT,
  type Bounds,
  type TextUnit,
} from './bounded-text.ts';
import { BYTE_SIZE_PATTERN, parseByteSize } from './byte-size.ts';
import { parseDuration } from './duration.ts';
import { parsePercent } from './percent.ts';

/**
 * Builders of the field types of the API (api.md 2). In a manifest percents, durations and sizes are strings; after
 * `parse` they are ratios, milliseconds and bytes. `bounds` and `computed` are for the field reference, `example` also
 * for the fix that a refused manifest gets; what begins with `x-kubernetes-` is for the API server.
 */

/** What the field reference and the messages say about a field. */
export interface FieldNotes {
  readonly description: string;
  readonly bounds?: string;
  readonly example?: unknown;
  /** How the controller computes the value when it is absent. */
  readonly computed?: string;
}

function withBounds(unit: TextUnit, bounds: Bounds, notes: FieldNotes): Record<string, unknown> {
  const [min, max, example] = bounds;
  return { bounds: `${min} to ${max}`, example, ...boundedTextMeta(unit, bounds), ...notes };
}

type TextToNumber<T extends z.ZodType> = z.ZodPipe<T, z.ZodTransform<number, string>>;

/** A required percentage; its value is a ratio. */
export function percent(bounds: Bounds, notes: FieldNotes): TextToNumber<z.ZodString> {
  return boundedText(PERCENT_UNIT, bounds)
    .transform(parsePercent)
    .meta(withBounds(PERCENT_UNIT, bounds, notes));
}

/** A percentage with a default; its value is a ratio. */
export function percentOr(
  fallback: string,
  bounds: Bounds,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  return boundedText(PERCENT_UNIT, bounds)
    .default(fallback)
    .transform(parsePercent)
    .meta(withBounds(PERCENT_UNIT, bounds, notes));
}

/** A duration with a default; its value is in milliseconds. */
export function durationOr(
  fallback: string,
  bounds: Bounds,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  return boundedText(DURATION_UNIT, bounds)
    .default(fallback)
    .transform(parseDuration)
    .meta(withBounds(DURATION_UNIT, bounds, notes));
}

/** A size with a default; its value is in bytes. Its upper bound is a rule. */
export function byteSizeOr(
  fallback: string,
  notes: FieldNotes,
): TextToNumber<z.ZodDefault<z.ZodString>> {
  const message = 'write a size of at least 1 in bytes, Ki, Mi or Gi, for example "16Mi"';
  return z
    .string(`expected a size string: ${message}`)
    .regex(BYTE_SIZE_PATTERN, message)
    .default(fallback)
    .transform(parseByteSize)
    .meta({ maxLength: 64, ...notes });
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
export function objectName(description: string, computed?: string): z.ZodString {
  const message = "write an object name: a-z, 0-9, '-' and '.', at most 253 characters";
  return z
    .string()
    .max(253, { message, abort: true })
    .regex(/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/, message)
    .meta({
      description,
      bounds: 'object name of at most 253 characters',
      ...(computed === undefined ? {} : { computed }),
    });
}

/** Unicode code points, which the API server counts; `length` counts a character beyond the BMP twice. */
function codePointCount(value: string): number {
  return Array.from(value).length;
}

/** A text with a greatest length. */
export function text(maxLength: number, notes: FieldNotes): z.ZodString {
  return z
    .string()
    .min(1)
    .refine((value) => codePointCount(value) <= maxLength, `write at most ${maxLength} characters`)
    .meta({ bounds: `1 to ${maxLength} characters`, maxLength, ...notes });
}

type OpenObject = z.ZodObject<z.core.$ZodLooseShape, z.core.$loose>;

/** A Kubernetes type that is open here: the API server checks it in a dry run. */
export function raw(description: string): OpenObject {
  return z.looseObject({}).meta({ description, bounds: 'Kubernetes object' });
}

/** A list of Kubernetes objects that are open here. */
export function rawList(maxItems: number, description: string): z.ZodArray<OpenObject> {
  return z
    .array(z.looseObject({}))
    .max(maxItems)
    .meta({ description, bounds: `Kubernetes objects, at most ${maxItems}` });
}

type TextMap = z.ZodRecord<z.ZodString, z.ZodString>;

/** Labels, annotations, selectors. */
export function stringMap(description: string): TextMap {
  return z
    .record(z.string(), z.string().max(4096))
    .refine((map) => Object.keys(map).length <= 32, 'write at most 32 entries')
    .meta({ description, bounds: 'at most 32 entries', maxProperties: 32 });
}

/** `sha256:` and 64 hexadecimal digits. */
export function digest(notes: FieldNotes): z.ZodString {
  return z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'write sha256: and 64 lower-case hexadecimal digits')
    .meta({ bounds: 'sha256:<64 hex>', maxLength: 71, ...notes });
}

/** A moment, as in `2026-11-25T10:00:00Z`. */
export function time(description: string): z.ZodISODateTime {
  return z.iso
    .datetime({ offset: true, error: 'write a time, for example "2026-11-25T10:00:00Z"' })
    .meta({ description, bounds: 'RFC 3339' });
}

/** Where a model lies. Blanks are refused; ASCII ones only, as RE2 sees them. */
export function modelUri(description: string): z.ZodString {
  return z
    .string()
    .refine((value) => codePointCount(value) <= 1024, 'write at most 1024 characters')
    .regex(
      /^((https?|s3|oci|pvc):\/\/[^\t\n\f\r ]+|file:[^\t\n\f\r ]+)$/,
      'write a URI with https, http, s3, oci, pvc or file, for example "https://models.example.com/resnet18.onnx"',
    )
    .meta({
      description,
      bounds: 'https, http, s3, oci, pvc, file; at most 1024 characters',
      maxLength: 1024,
      example: 'https://models.example.com/resnet18.onnx',
    });
}
