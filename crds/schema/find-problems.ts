import type { z } from 'zod';

import { API_VERSION, type CachedModelService } from '../v1alpha1/cached-model-service.ts';
import type { Rule } from '../v1alpha1/rule.ts';
import { valueAt } from '../wire/json.ts';
import { nearestNames } from './edit-distance.ts';
import {
  HEAD_REVISION_MANIFEST,
  MANIFEST_KINDS,
  SERVICE_MANIFEST,
  type ManifestKind,
} from './manifest-kinds.ts';
import { findRuleProblems } from './rule-problems.ts';
import { findShapeProblems, type FieldProblem } from './shape-problems.ts';

/** The kind that a manifest is meant to be, of those given; without one, the first. Null: a kind that is none of them. */
export function kindMeant(
  manifest: unknown,
  kinds: readonly string[] = MANIFEST_KINDS,
): string | null {
  const kind = valueAt(manifest, ['kind']);
  if (typeof kind !== 'string') return String(kinds[0]);
  return kinds.includes(kind) ? kind : (nearestNames(kind, kinds)[0] ?? null);
}

export function isMap(manifest: unknown): manifest is object {
  return typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest);
}

export function noMapProblem(kind: string): FieldProblem {
  const fix = `write apiVersion: ${API_VERSION}, kind: ${kind}, metadata and spec`;
  return { path: [], atKey: false, message: 'a manifest is a map of fields', fix };
}

/** A manifest of another kind is not looked at further: its fields are not ours to judge. */
export function foreignKindProblem(kinds: readonly string[]): FieldProblem {
  return {
    path: ['kind'],
    atKey: false,
    message: `this program reads ${kinds.join(' and ')} of ${API_VERSION} only`,
    fix: `write kind: ${kinds.join(' or ')}, or give another file`,
  };
}

/** Malformed fields of a map, then the rules that its sound part breaks. */
function problemsOfKind<S extends z.ZodType>(
  manifest: object,
  kind: ManifestKind<S>,
  rules?: readonly Rule<z.output<S>>[],
): readonly FieldProblem[] {
  const shape = findShapeProblems(manifest, kind.schema);
  return [...shape, ...findRuleProblems(manifest, shape, kind, rules)];
}

/** What keeps a map from being a CachedModelService. @param more rules beside those of the API. */
export function findServiceProblems(
  manifest: object,
  more: readonly Rule<CachedModelService>[] = [],
): readonly FieldProblem[] {
  return problemsOfKind(manifest, SERVICE_MANIFEST, [...SERVICE_MANIFEST.rules, ...more]);
}

/** What keeps a map from being a CacheHeadRevision. */
export function findHeadRevisionProblems(manifest: object): readonly FieldProblem[] {
  return problemsOfKind(manifest, HEAD_REVISION_MANIFEST);
}
