import { valueAt } from '../wire/json.ts';
import { isWithin } from './shape-problems.ts';

/** Blocks and fields that mean something in a cluster only; local mode takes them and does without. */
const CLUSTER_ONLY = [
  'spec.backbone.format',
  'spec.backbone.credentialsSecretName',
  'spec.backbone.caBundleConfigMapName',
  'spec.heads.revision',
  'spec.heads.historyLimit',
  'spec.heads.training.deadline',
  'spec.heads.training.resources',
  'spec.heads.training.podTemplate',
  'spec.heads.training.serviceAccountName',
  'spec.heads.store',
  'spec.rollout.progressDeadline',
  'spec.rollout.stickyHeader',
  'spec.server.image',
  'spec.server.imagePullPolicy',
  'spec.server.imagePullSecretNames',
  'spec.server.warmup',
  'spec.server.drain',
  'spec.server.logLevel',
  'spec.replicas',
  'spec.suspend',
  'spec.autoscaling',
  'spec.pod',
  'spec.podTemplate',
  'spec.updateStrategy',
  'spec.upgradePolicy',
  'spec.podDisruptionBudget',
  'spec.networkPolicy',
] as const;

/** True for a field, or a field of a block, that has no effect in local mode. */
export function isClusterOnly(path: string): boolean {
  return CLUSTER_ONLY.some((field) => isWithin(path, field));
}

/** What a manifest sets although it has no effect in local mode, in the order of the reference. */
export function clusterOnlyFields(manifest: unknown): readonly string[] {
  return CLUSTER_ONLY.filter((field) => valueAt(manifest, field.split('.')) !== undefined);
}
