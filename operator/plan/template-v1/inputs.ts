import { z } from 'zod';

const store = z.strictObject({
  uri: z.string(),
  pullSecretName: z.string().optional(),
  caBundleConfigMapName: z.string().optional(),
});

/** What template version 1 takes from the chart. Fields are never removed or renamed: Deployments carry them. */
export const templateInputs = z.strictObject({
  image: z.string(),
  /** For pods with an accelerator; null: the same as `image`. */
  gpuImage: z.string().nullable(),
  /** With native TensorFlow; null, as where a Deployment was recorded before there was one: the same as without. */
  tensorflowImage: z.string().nullable().default(null),
  tensorflowGpuImage: z.string().nullable().default(null),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']),
  imagePullSecretNames: z.array(z.string()),
  resources: z.looseObject({}),
  /** Where pods fetch head bundles; null: bundles lie in ConfigMaps. */
  store: store.nullable(),
  /** Further hosts that pods may fetch from. */
  allowedHosts: z.array(z.string()),
});

export type TemplateInputs = z.infer<typeof templateInputs>;
