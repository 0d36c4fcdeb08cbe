import type { CachedModelServiceSpec } from './cached-model-service.ts';

const ORDINARY_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** True when the pods ask for anything beyond cpu, memory and disk: an extended resource or a resource claim. */
export function hasAccelerator({ pod }: Pick<CachedModelServiceSpec, 'pod'>): boolean {
  if ((pod?.resourceClaims ?? []).length > 0) return true;
  const ordinary: readonly string[] = ORDINARY_RESOURCES;
  return Object.keys(pod?.resources?.limits ?? {}).some((name) => !ordinary.includes(name));
}

/** The CEL twin of `hasAccelerator`, over `self` = spec. */
export const CEL_HAS_ACCELERATOR =
  '(has(self.pod) && (has(self.pod.resourceClaims) && self.pod.resourceClaims.size() > 0' +
  ' || has(self.pod.resources) && has(self.pod.resources.limits)' +
  ` && self.pod.resources.limits.exists(k, !(k in [${ORDINARY_RESOURCES.map((name) => `'${name}'`).join(', ')}]))))`;
