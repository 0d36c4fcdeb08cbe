import { z } from 'zod';
import { DURATION_PATTERN, parseDuration } from '../crds/v1alpha1/duration.ts';

/** Readers of single variables: text in, base units out; each says what it wants. */

const UNITS = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 } as const;

export const port = (standard: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number, 0 for a free one')
    .default(String(standard))
    .transform(Number)
    .refine((value) => value <= 65_535, 'must be at most 65535');

interface Range {
  readonly min: number;
  readonly max: number;
}

const wholeNumber = ({ min, max }: Range) =>
  z
    .string()
    .regex(/^\d{1,10}$/, `must be a whole number from ${min} up`)
    .transform(Number)
    .refine((value) => value >= min, `must be a whole number from ${min} up`)
    .refine((value) => value <= max, `must be at most ${max}`);

export const count = (standard: number, range: Range) =>
  wholeNumber(range).prefault(String(standard));

export const optionalCount = (range: Range) =>
  z.preprocess((value) => (value === '' ? undefined : value), wholeNumber(range).optional());

export const duration = (standard: string) =>
  z
    .string()
    .regex(DURATION_PATTERN, 'must be a duration such as 500ms, 30s or 1m30s')
    .default(standard)
    .transform(parseDuration);

const size = z.string().regex(/^[1-9]\d{0,11}(Ki|Mi|Gi)?$/, 'must be a size such as 256Mi');

function toBytes(text: string): number {
  const unit = /[KMG]i$/.exec(text)?.[0] ?? '';
  return Number.parseInt(text, 10) * UNITS[unit as keyof typeof UNITS];
}

export const bytes = (standard: string) => size.default(standard).transform(toBytes);

export const optionalBytes = z
  .union([z.literal(''), size], { error: 'must be a size such as 256Mi' })
  .default('')
  .transform((text) => (text === '' ? null : toBytes(text)));

const text = z.string().max(4096);

export const optionalText = text.default('').transform((value) => (value === '' ? null : value));

/** One of a closed list, or null; an empty value is the same as none, since a pod template may set either. */
export const optionalChoice = <T extends string>(choices: readonly T[]) =>
  z
    .string()
    .default('')
    .transform((value, context): T | null => {
      const found = choices.find((choice) => choice === value);
      if (found === undefined && value !== '') context.addIssue(`must be ${listed(choices)}`);
      return found ?? null;
    });

/** One of two words; off unless it is the first. */
const toggle = (on: string, off: string) =>
  z
    .enum([on, off], { error: `must be ${on} or ${off}` })
    .default(off)
    .transform((value) => value === on);

export const onOff = toggle('on', 'off');

export const switchedOn = toggle('true', 'false');

export const optionalDigest = z
  .string()
  .regex(/^(sha256:[0-9a-f]{64})?$/, 'must be sha256: and 64 hex digits')
  .default('')
  .transform((value) => (value === '' ? null : value));

function listed(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`;
}
