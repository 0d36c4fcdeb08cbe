// What a new definition takes away from those who wrote objects, manifests or programs for the last release.
import { isDeepStrictEqual } from 'node:util';
import type { ChartObject } from './helm.ts';
import { schemaChanges, type Schema } from './schema-changes.ts';

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly subresources?: Readonly<Record<string, unknown>>;
  readonly schema: { readonly openAPIV3Schema: Schema };
}

interface Spec {
  readonly group: string;
  readonly scope: string;
  readonly names: {
    readonly kind: string;
    readonly plural: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  };
  readonly versions: readonly Version[];
}

/**
 * One line for each thing that was accepted or served and no longer is, as `definition version field: what`; empty is
 * what is wanted. Fields, versions, names and looser limits that are new are no lines.
 */
export function definitionChanges(
  before: readonly ChartObject[],
  after: readonly ChartObject[],
): readonly string[] {
  return before.flatMap((old) => {
    const { name } = old.metadata;
    const now = after.find(({ metadata }) => metadata.name === name);
    if (now === undefined) return [`${name}: is gone`];
    return specChanges(old.spec as Spec, now.spec as Spec).map((change) => `${name} ${change}`);
  });
}

function specChanges(old: Spec, now: Spec): readonly string[] {
  const identity = ({ group, scope, names: { kind, plural } }: Spec) => [
    group,
    scope,
    kind,
    plural,
  ];
  const lost = (was: readonly string[] = [], is: readonly string[] = []) =>
    was.filter((one) => !is.includes(one)).map((one) => `names: ${one} is gone`);
  return [
    ...(isDeepStrictEqual(identity(old), identity(now)) ? [] : ['names: is another kind']),
    ...lost(old.names.shortNames, now.names.shortNames),
    ...lost(old.names.categories, now.names.categories),
    ...old.versions
      .filter(({ served }) => served)
      .flatMap((version) => versionChanges(version, now.versions)),
  ];
}

function versionChanges(old: Version, versions: readonly Version[]): readonly string[] {
  const now = versions.find(({ name, served }) => served && name === old.name);
  if (now === undefined) return [`${old.name}: is no longer served`];
  const subresources = Object.keys(old.subresources ?? {})
    .filter((one) => !(one in (now.subresources ?? {})))
    .map((one) => `${old.name} ${one}: is gone`);
  return [
    ...subresources,
    ...schemaChanges(old.schema.openAPIV3Schema, now.schema.openAPIV3Schema).map(
      (change) => `${old.name} ${change}`,
    ),
  ];
}
