import type { CacheHeadRevision, CacheHeadRevisionSpec } from './cache-head-revision.ts';
import { rulesAt, type Place, type Rule, type TransitionRule } from './rule.ts';

/** Largest bundle of the default store: beside it the ConfigMap needs room for names, below 1 MiB in all. */
export const MAX_CONFIG_MAP_BUNDLE_BYTES = 921_600;

type Exit = CacheHeadRevisionSpec['exits'][number];

const POOLS: readonly number[] = [1, 2, 4];
const HIDDEN: readonly number[] = [0, 64, 128, 256, 1024];

function isOneOf(allowed: readonly number[], value: number | undefined): boolean {
  return value === undefined || allowed.includes(value);
}

function exitsOf({ spec }: CacheHeadRevision): Place<Exit>[] {
  return spec.exits.map((exit, i) => [['spec', 'exits', i], exit]);
}

function hasOneKind({ tensor, pool, hidden, modelDigest }: Exit): boolean {
  const headFields = [tensor, pool, hidden].filter((value) => value !== undefined).length;
  return headFields === (modelDigest === undefined ? 3 : 0);
}

export const HEAD_REVISION_RULES: readonly Rule<CacheHeadRevision>[] = [
  ...rulesAt<CacheHeadRevision, string>(
    { path: '', places: ({ metadata }) => [[['metadata', 'name'], metadata.name]] },
    [
      {
        cel: 'self.metadata.name.size() <= 63',
        message: 'metadata.name must be at most 63 characters',
        fix: 'shorten the name',
        holds: (name) => name.length <= 63,
      },
    ],
  ),
  ...rulesAt<CacheHeadRevision, CacheHeadRevisionSpec['bundle']>(
    {
      path: 'spec.bundle',
      places: ({ spec }) => [[['spec', 'bundle'], spec.bundle]],
    },
    [
      {
        cel: 'has(self.configMapName) != has(self.uri)',
        message: 'set exactly one of configMapName, uri',
        fix: 'keep one of them',
        holds: ({ configMapName, uri }) => (configMapName === undefined) !== (uri === undefined),
      },
      {
        cel: `!has(self.configMapName) || self.sizeBytes <= ${MAX_CONFIG_MAP_BUNDLE_BYTES}`,
        message: `a ConfigMap holds at most ${MAX_CONFIG_MAP_BUNDLE_BYTES} bytes: store the bundle in s3 or oci and set uri`,
        holds: ({ configMapName, sizeBytes }) =>
          configMapName === undefined || sizeBytes <= MAX_CONFIG_MAP_BUNDLE_BYTES,
      },
    ],
  ),
  ...rulesAt<CacheHeadRevision, Exit>({ path: 'spec.exits[]', places: exitsOf }, [
    {
      cel: `(!has(self.pool) || self.pool in [${POOLS.join(', ')}]) && (!has(self.hidden) || self.hidden in [${HIDDEN.join(', ')}])`,
      message: 'pool must be 1, 2 or 4 and hidden 0, 64, 128, 256 or 1024',
      fix: 'write what the head was trained with',
      holds: ({ pool, hidden }) => isOneOf(POOLS, pool) && isOneOf(HIDDEN, hidden),
    },
    {
      cel:
        'has(self.modelDigest) ? !(has(self.tensor) || has(self.pool) || has(self.hidden))' +
        ' : has(self.tensor) && has(self.pool) && has(self.hidden)',
      message: 'set tensor, pool and hidden, or modelDigest alone',
      fix: 'complete or remove the others',
      holds: hasOneKind,
    },
  ]),
];

export const HEAD_REVISION_TRANSITION_RULES: readonly TransitionRule<CacheHeadRevision>[] = [
  {
    path: 'spec',
    fieldPath: undefined,
    cel: 'self == oldSelf',
    message: 'a CacheHeadRevision cannot change: create a new one',
    holds: (now, before) => JSON.stringify(now.spec) === JSON.stringify(before.spec),
  },
];
