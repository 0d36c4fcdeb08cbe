import type { z } from 'zod';

/**
 * The fields of `value` that `schema` accepts, each by itself: a status written by an older or newer operator loses what
 * cannot be read and keeps the rest. Anything but an object gives `{}`.
 */
export function keepSoundFields<S extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<S>,
  value: unknown,
): Partial<z.infer<z.ZodObject<S>>> {
  if (typeof value !== 'object' || value === null) return {};
  const sound: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    if (!Object.hasOwn(value, name)) continue;
    const outcome = (field as z.ZodType).safeParse((value as Record<string, unknown>)[name]);
    if (outcome.success) sound[name] = outcome.data;
  }
  return sound as Partial<z.infer<z.ZodObject<S>>>;
}
