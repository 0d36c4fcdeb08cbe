import { treeOf } from '../schema/field-tree.ts';
import { cacheHeadRevision } from '../v1alpha1/cache-head-revision.ts';
import { cachedModelService } from '../v1alpha1/cached-model-service.ts';
import {
  HEAD_REVISION_RULES,
  HEAD_REVISION_TRANSITION_RULES,
} from '../v1alpha1/head-revision-rules.ts';
import { headRevisionStatus } from '../v1alpha1/head-revision-status.ts';
import { SERVICE_RULES, SERVICE_TRANSITION_RULES } from '../v1alpha1/rules.ts';
import { serviceStatus } from '../v1alpha1/service-status.ts';
import type { ReferenceKind } from './field-reference.ts';

export const SERVICE_REFERENCE: ReferenceKind = {
  kind: 'CachedModelService',
  intro:
    'Check a manifest with `layercache validate -f FILE`; `kubectl explain cms.spec` has the same texts.',
  spec: treeOf(cachedModelService.shape.spec),
  status: treeOf(serviceStatus),
  rules: [...SERVICE_RULES, ...SERVICE_TRANSITION_RULES],
};

export const HEAD_REVISION_REFERENCE: ReferenceKind = {
  kind: 'CacheHeadRevision',
  intro:
    'Written by the operator, or by a user who trains elsewhere. `kubectl explain chr.spec` has the same texts.',
  spec: treeOf(cacheHeadRevision.shape.spec),
  status: treeOf(headRevisionStatus),
  rules: [...HEAD_REVISION_RULES, ...HEAD_REVISION_TRANSITION_RULES],
};
