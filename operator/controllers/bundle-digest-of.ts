import type { KubeObject } from '../kube/api.ts';

/** `spec.bundle.digest` of a CacheHeadRevision as it lies in the cache, whatever else is wrong with it. */
export function bundleDigestOf({ spec }: KubeObject): string | undefined {
  const { bundle } = (spec ?? {}) as { readonly bundle?: { readonly digest?: string } };
  return bundle?.digest;
}
