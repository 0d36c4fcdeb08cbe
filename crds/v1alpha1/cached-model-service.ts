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

const spec = z.strictObject({
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
});

const metadata = z.looseObject({
  name: z.string().min(1).max(253).meta({ description: 'Name of the service.', example: 'resnet' }),
  namespace: z.string().max(63).optional(),
});

/**
 * A CachedModelService as a user writes it. `parse` gives the spec with all defaults, percents as ratios, durations in
 * milliseconds, sizes in bytes. What holds between fields is in `rules.ts`.
 */
export const cachedModelService = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(KIND),
  metadata,
  spec,
  status: z.looseObject({}).optional(),
});

export type CachedModelService = z.infer<typeof cachedModelService>;
export type CachedModelServiceSpec = CachedModelService['spec'];
