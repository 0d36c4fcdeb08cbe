import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../crds/v1alpha1/duration.ts';

/** Readers of single variables: text in, base units out; each says what it wants. An empty value is the same as none. */

const LABEL_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const OBJECT_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL_PAIR = /^[A-Za-z0-9./_-]{1,317}=[A-Za-z0-9._-]{0,63}$/;

const given = (standard: string | null) =>
  z
    .string()
    .max(65_536)
    .default('')
    .transform((value) => (value === '' ? standard : value));

/** Text of a form, or null. */
const optional = (pattern: RegExp, wanted: string) =>
  given(null).refine((value) => value === null || pattern.test(value), wanted);

export const optionalText = given(null);
export const namespace = z
  .string({ error: 'is missing; set it to the namespace of this pod' })
  .regex(LABEL_NAME, 'must be the name of a namespace');
export const optionalNamespace = optional(LABEL_NAME, 'must be the name of a namespace');
export const objectName = optional(OBJECT_NAME, 'must be the name of an object');

export const wholeNumber = (
  standard: number,
  { min, max }: { readonly min: number; readonly max: number },
) =>
  given(String(standard))
    .refine((value) => /^\d{1,6}$/.test(value ?? ''), `must be a whole number`)
    .transform(Number)
    .refine(
      (value) => Number.isNaN(value) || (value >= min && value <= max),
      `must be from ${min} to ${max}`,
    );

export const duration = (standard: string) =>
  given(standard)
    .refine(
      (value) => DURATION_PATTERN.test(value ?? ''),
      'must be a duration such as 500ms, 30s or 1m30s',
    )
    .transform((value) => parseDuration(value ?? ''));

export const choice = <T extends string>(choices: readonly [T, ...T[]], standard: T) =>
  given(standard).transform((value, context): T => {
    const found = choices.find((one) => one === value);
    if (found !== undefined) return found;
    context.addIssue(`must be ${choices.slice(0, -1).join(', ')} or ${String(choices.at(-1))}`);
    return z.NEVER;
  });

/** `a,b`: names of one form. */
export const list = (pattern: RegExp, wanted: string) =>
  given('').transform((text, context): readonly string[] => {
    const items = (text ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const bad = items.find((item) => !pattern.test(item));
    if (bad !== undefined) context.addIssue(`holds ${JSON.stringify(bad)}, which ${wanted}`);
    return items;
  });

export const namespaces = list(LABEL_NAME, 'must be the name of a namespace');
export const objectNames = list(OBJECT_NAME, 'must be the name of an object');
export const hosts = list(/^(\*|[A-Za-z0-9*.:-]{1,259})$/, 'must be a host, *.suffix or host:port');

/** `key=value,key=value`. */
export const labels = list(LABEL_PAIR, 'must be a label as key=value').transform((pairs) =>
  Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string])),
);

/** A JSON object, as the chart writes one. */
export const jsonObject = (standard: string) =>
  given(standard).transform((text, context): Record<string, unknown> => {
    const value = parseJson(text ?? '');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    context.addIssue('must be a JSON object');
    return z.NEVER;
  });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
