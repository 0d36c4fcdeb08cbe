import { z } from 'zod';

import { label } from './fields.ts';
import { accuracy, backbone, exitMode, exits, heads, rollout, tuning } from './spec-exits.ts';
import {
  autoscaling,
  networkPolicy,
  pod,
  podDisruptionBudget,
  podTemplate,
  replicas,
  server,
  suspend,
  updateStrategy,
  upgradePolicy,
} from './spec-serving.ts';

export const API_VERSION = 'layercache.io/v1alpha1';
export const KIND = 'CachedModelService';

const specFields = {
  modelName: label(63, {
    description: 'Name in the paths of the V1 and V2 protocols; immutable.',
    computed: 'metadata.name',
  }).optional(),
  backbone,
  accuracy,
  exitMode,
  exits,
  tuning,
  heads,
  rollout,
  server,
  replicas,
  suspend,
  autoscaling,
  pod,
  podTemplate,
  updateStrategy,
  upgradePolicy,
  podDisruptionBudget,
  networkPolicy,
};

const spec = z
  .strictObject(specFields)
  .meta({ description: 'The endpoint: a backbone, an accuracy budget, and how it runs.' });

type ObjectMetadata = z.ZodObject<
  { name: z.ZodString; namespace: z.ZodOptional<z.ZodString> },
  z.core.$loose
>;

/** What we read of an object's metadata; the API server has checked the rest. */
export function objectMetadata(description: string, example: string): ObjectMetadata {
  return z.looseObject({
    name: z.string().min(1).max(253).meta({ description, example }),
    namespace: z.string().max(63).optional(),
  });
}

/**
 * A CachedModelService as a user writes it. `parse` gives the spec with all defaults, percents as ratios, durations in
 * milliseconds, sizes in bytes. What holds between fields is in `rules.ts`. The status is read apart
 * (`service-status.ts`): a broken one must not make the spec unreadable.
 */
export const cachedModelService = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(KIND),
  metadata: objectMetadata('Name of the service.', 'resnet'),
  spec,
  status: z.looseObject({}).optional(),
});

export type CachedModelService = z.infer<typeof cachedModelService>;
export type CachedModelServiceSpec = CachedModelService['spec'];
