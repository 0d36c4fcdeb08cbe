import type { KubeObject } from '../../../kube/api.ts';
import type { LifecycleRequest } from '../../../lifecycle/types.ts';
import { bundleDigestOf } from '../../bundle-digest-of.ts';
import { ANNOTATIONS } from '../../../plan/names.ts';

const REQUEST = /^(abort|promote|rollback|retry|retrain)(?::([^:]*))?(?::.*)?$/;

/** The request annotation; null: there is none, or none for the lifecycle. */
export function readRequest(
  annotations: Readonly<Record<string, string>>,
  revisions: readonly KubeObject[],
): LifecycleRequest | null {
  const value = annotations[ANNOTATIONS.request];
  const [, verb, target] = REQUEST.exec(value ?? '') ?? [];
  if (value === undefined || verb === undefined) return null;
  const named = revisions.find(({ metadata }) => metadata.name === target);
  return {
    value: value.slice(0, 1024),
    verb: verb as LifecycleRequest['verb'],
    headRevision: (named && bundleDigestOf(named)) ?? null,
  };
}
