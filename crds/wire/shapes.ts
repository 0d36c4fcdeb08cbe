import { z } from 'zod';

import { LAMBDA_COUNT } from './lambda-grid.ts';
import { WIRE_LIMITS } from './limits.ts';

/** Pieces that several documents share. All are strict: nothing is converted or defaulted. */

/** A counter: whole, not negative, exact in a double. */
export const counter = z
  .number()
  .int('expected a whole number')
  .min(0)
  .max(Number.MAX_SAFE_INTEGER);
/** A counter that starts at 1. */
export const ordinal = counter.min(1);
/** Any finite number. */
export const finite = z.number();
/** A finite number that is not negative. */
export const amount = z.number().min(0);
/** A ratio from 0 to 1. */
export const ratio = z.number().min(0).max(1);
export const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 lower-case hexadecimal digits');
export const lambdaIndex = z
  .number()
  .int('expected an index of the lambda grid')
  .min(0)
  .max(LAMBDA_COUNT - 1);
/** Name of an exit; `backbone` is reserved. */
export const exitName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/, 'expected a DNS label of at most 32 characters')
  .refine((name) => name !== 'backbone', 'the name backbone is reserved: choose another');
/** Name of a tensor in a model file. */
export const tensorName = z.string().min(1).max(256);
/** A pod UID, boot id or version: printable ASCII without spaces. */
export const token = z.string().regex(/^[!-~]{1,128}$/, 'expected 1 to 128 printable characters');
/** A sentence for people. */
export const sentence = z.string().max(1024);
export const schemaVersion = z.literal(1);

/** True when no two entries are equal. */
export function areUnique(names: readonly unknown[]): boolean {
  return new Set(names).size === names.length;
}

/** Up to 16 different exit names. */
export const exitNames = z
  .array(exitName)
  .max(WIRE_LIMITS.exits)
  .refine(areUnique, 'two exits have the same name');
