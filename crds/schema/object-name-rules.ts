import type { CacheHeadRevision } from '../v1alpha1/cache-head-revision.ts';
import { rulesAt, type Rule } from '../v1alpha1/rule.ts';

const DNS_SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * What every API server asks of names, in its words, so that a file is judged alike offline. It is no rule of ours: the
 * definitions do not carry it. A service's name has stricter rules of its own.
 */
export const HEAD_REVISION_NAME_RULES: readonly Rule<CacheHeadRevision>[] = rulesAt(
  {
    path: 'metadata.name',
    places: ({ metadata }: CacheHeadRevision) => [[['metadata', 'name'], metadata.name]],
  },
  [
    {
      cel: '',
      message:
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      fix: 'write a name such as vision-3f2a9c1b77d0',
      holds: (name) => DNS_SUBDOMAIN.test(name),
    },
  ],
);
