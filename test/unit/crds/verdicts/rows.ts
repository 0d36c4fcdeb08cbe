import { cacheHeadRevision } from '../../../../crds/v1alpha1/cache-head-revision.ts';
import { cachedModelService } from '../../../../crds/v1alpha1/cached-model-service.ts';
import { headRevisionStatus } from '../../../../crds/v1alpha1/head-revision-status.ts';
import { serviceStatus } from '../../../../crds/v1alpha1/service-status.ts';
import { aManifest } from '../v1alpha1/service.ts';
import { boundRows } from './bound-rows.ts';
import { aRevisionManifest } from './objects.ts';
import { HEAD_REVISION_CASES, SERVICE_CASES } from './rule-cases.ts';
import type { Kind } from './twins.ts';

/** One object that the parser, the twins of the rules and the API server must judge alike. */
export interface VerdictRow {
  /** The object in words. */
  readonly what: string;
  readonly kind: Kind;
  readonly object: unknown;
  /** Field that its shape is refused for; null: accepted; undefined: not foretold. */
  readonly malformed?: string | null;
  /** A rule that it breaks. */
  readonly broken?: string;
}

/** A status that both judges must judge alike. */
export interface StatusRow {
  readonly what: string;
  readonly kind: Kind;
  readonly status: unknown;
  readonly malformed: string | null;
}

type Spec = Record<string, unknown>;

function specRows(kind: Kind, build: (spec: Spec) => unknown): VerdictRow[] {
  const schema = kind === 'cachedmodelservices' ? cachedModelService : cacheHeadRevision;
  return boundRows(schema.shape.spec).map(({ what, block, malformed }) => ({
    what: `${kind} spec.${what}`,
    kind,
    object: build(block as Spec),
    malformed: malformed === null ? null : `spec.${malformed}`,
  }));
}

/** Objects that keep or break one rule each. */
export const RULE_ROWS: readonly VerdictRow[] = [
  ...SERVICE_CASES.flatMap(([message, broken, sound]) => [
    ...broken.map((manifest) => ({ manifest, broken: message })),
    ...sound.map((manifest) => ({ manifest })),
  ]).map(({ manifest, ...rest }): VerdictRow => ({
    what: `service ${JSON.stringify(manifest).slice(0, 200)}`,
    kind: 'cachedmodelservices',
    object: aManifest(manifest.spec, manifest.name),
    ...rest,
  })),
  ...HEAD_REVISION_CASES.flatMap(([message, broken, sound]) => [
    ...broken.map((manifest) => ({ manifest, broken: message })),
    ...sound.map((manifest) => ({ manifest })),
  ]).map(({ manifest, ...rest }): VerdictRow => ({
    what: `revision ${JSON.stringify(manifest).slice(0, 200)}`,
    kind: 'cacheheadrevisions',
    object: aRevisionManifest(manifest.spec, manifest.name),
    ...rest,
  })),
];

/** Every bound of every field of both specs. */
export const BOUND_ROWS: readonly VerdictRow[] = [
  ...specRows('cachedmodelservices', (spec) => aManifest(spec)),
  ...specRows('cacheheadrevisions', (spec) => aRevisionManifest(spec)),
];

/** Every bound of every field of both statuses. */
export const STATUS_ROWS: readonly StatusRow[] = (
  [
    ['cachedmodelservices', serviceStatus],
    ['cacheheadrevisions', headRevisionStatus],
  ] as const
).flatMap(([kind, schema]) =>
  boundRows(schema).map(({ what, block, malformed }) => ({
    what: `${kind} status.${what}`,
    kind,
    status: block,
    malformed: malformed === null ? null : `status.${malformed}`,
  })),
);
