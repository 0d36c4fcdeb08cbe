import { z } from 'zod';

import { areUnique } from '../wire/shapes.ts';
import { count, shortText } from './status-fields.ts';
import { time } from './fields.ts';

/** metav1.Condition with its bounds. `reason` is a name of `reasons.ts`; `message` says the next step. */
export const condition = z.strictObject({
  type: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]{0,62}$/)
    .meta({ description: 'Name of the condition.', bounds: 'CamelCase', maxLength: 63 }),
  status: z
    .enum(['True', 'False', 'Unknown'])
    .meta({ description: 'Whether the condition holds.' }),
  observedGeneration: count('Generation of the spec that this is about.').optional(),
  lastTransitionTime: time('When the status last changed.'),
  reason: z
    .string()
    .regex(/^[A-Z][A-Za-z0-9]{0,62}$/)
    .meta({ description: 'Why, in one word.', bounds: 'CamelCase', maxLength: 63 }),
  message: shortText('Why, in a sentence, with the next step.', 1024),
});

export type Condition = z.infer<typeof condition>;

/** The list of an object, one entry per type. */
export const conditions = z
  .array(condition)
  .max(16)
  .refine((list) => areUnique(list.map(({ type }) => type)), 'a condition stands twice')
  .optional()
  .meta({
    description: 'State of the object; for `kubectl wait`.',
    bounds: 'at most 16',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });
