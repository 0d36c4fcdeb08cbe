import type { z } from 'zod';

import { cacheHeadRevision, HEAD_REVISION_KIND } from '../v1alpha1/cache-head-revision.ts';
import { API_VERSION, cachedModelService, KIND } from '../v1alpha1/cached-model-service.ts';
import { HEAD_REVISION_RULES } from '../v1alpha1/head-revision-rules.ts';
import type { Rule } from '../v1alpha1/rule.ts';
import { SERVICE_RULES } from '../v1alpha1/rules.ts';
import { HEAD_REVISION_NAME_RULES } from './object-name-rules.ts';

/** A required field and a value for it that breaks no rule, so that the rest can be looked at. */
export type StandIn = readonly [path: readonly string[], value: unknown];

/** All that it takes to judge manifests of one kind. */
export interface ManifestKind<S extends z.ZodType> {
  readonly kind: string;
  readonly schema: S;
  readonly rules: readonly Rule<z.output<S>>[];
  /** Parents first. */
  readonly standIns: readonly StandIn[];
}

const DIGEST = `sha256:${'0'.repeat(64)}`;

function headOf(kind: string): StandIn[] {
  return [
    [['apiVersion'], API_VERSION],
    [['kind'], kind],
    [['metadata'], {}],
    [['metadata', 'name'], 'name'],
    [['spec'], {}],
  ];
}

export const SERVICE_MANIFEST: ManifestKind<typeof cachedModelService> = {
  kind: KIND,
  schema: cachedModelService,
  rules: SERVICE_RULES,
  standIns: [
    ...headOf(KIND),
    [['spec', 'backbone'], {}],
    [['spec', 'backbone', 'uri'], 'file:model.onnx'],
    [['spec', 'accuracy'], {}],
    [['spec', 'accuracy', 'maxDisagreement'], '1%'],
  ],
};

export const HEAD_REVISION_MANIFEST: ManifestKind<typeof cacheHeadRevision> = {
  kind: HEAD_REVISION_KIND,
  schema: cacheHeadRevision,
  rules: [...HEAD_REVISION_NAME_RULES, ...HEAD_REVISION_RULES],
  standIns: [
    ...headOf(HEAD_REVISION_KIND),
    [['spec', 'serviceName'], 'name'],
    [['spec', 'backboneDigest'], DIGEST],
    [['spec', 'bundle'], { digest: DIGEST, sizeBytes: 1, configMapName: 'name' }],
    [['spec', 'bundle', 'digest'], DIGEST],
    [['spec', 'bundle', 'sizeBytes'], 1],
    [['spec', 'exits'], [{ name: 'name', tensor: 'name', pool: 1, hidden: 0 }]],
    [['spec', 'classCount'], 2],
  ],
};

export const MANIFEST_KINDS: readonly string[] = [KIND, HEAD_REVISION_KIND];
