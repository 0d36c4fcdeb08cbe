import { z } from 'zod';

import { rawList } from './fields.ts';

const quantity = z.union([z.int(), z.string().max(64)], {
  error: 'write a quantity, for example 1 or "12Gi"',
});

type Quantities = z.ZodOptional<z.ZodRecord<z.ZodString, typeof quantity>>;

function quantities(description: string): Quantities {
  return z
    .record(z.string(), quantity)
    .refine((map) => Object.keys(map).length <= 32, 'write at most 32 entries')
    .optional()
    .meta({ description, bounds: 'at most 32 entries', maxProperties: 32 });
}

type Resources = z.ZodObject<
  {
    limits: Quantities;
    requests: Quantities;
    claims: z.ZodOptional<ReturnType<typeof rawList>>;
  },
  z.core.$loose
>;

/**
 * Resources of a container, open for what Kubernetes adds. The fields are declared because CEL sees declared fields only,
 * and because the API server takes undeclared content for changed: with it, an object that breaks a rule which came
 * later would not even take a status.
 */
export function resources(description: string): Resources {
  return z
    .looseObject({
      limits: quantities('Most that the container may use, by resource name.'),
      requests: quantities('What the container is sure to get, by resource name.'),
      claims: rawList(16, 'Resource claims that the container uses.').optional(),
    })
    .meta({ description, bounds: 'Kubernetes object', computed: 'chart' });
}
