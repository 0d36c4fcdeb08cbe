import type { PodTemplateSpec } from 'kubernetes-types/core/v1.js';

import { isJsonObject, type JsonObject } from './json-object.ts';
import { protectedProblems } from './protected-fields.ts';
import type { TemplateProblem } from './template-problem.ts';

/** Lists whose items are matched by a field; every other list is replaced whole. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
};

export type MergeResult =
  | { readonly ok: true; readonly template: PodTemplateSpec }
  | { readonly ok: false; readonly problems: readonly TemplateProblem[] };

/**
 * Lays `spec.podTemplate` over a rendered template. Objects merge field by field, containers, volumes and env by name,
 * mounts by path; `null` removes a field, and an item whose other fields are all null. What the operator relies on must
 * come out unchanged. Types and names of fields are the API server's to check, in a dry run.
 */
export function mergePodTemplate(
  rendered: PodTemplateSpec,
  override: JsonObject | undefined,
): MergeResult {
  if (override === undefined) return { ok: true, template: rendered };
  const problems: TemplateProblem[] = [];
  const merged = mergeObjects({ ...rendered }, override, { path: '.spec.template', problems });
  // Whatever the user wrote is checked by the API server; here it only has to keep what is protected.
  const template = merged as unknown as PodTemplateSpec;
  problems.push(...protectedProblems(rendered, template));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, template };
}

/** Lays an override over a template that protects nothing; items without a name are left out. */
export function mergeOverride(
  rendered: PodTemplateSpec,
  override: JsonObject | undefined,
): PodTemplateSpec {
  if (override === undefined) return rendered;
  const merged = mergeObjects({ ...rendered }, override, { path: '', problems: [] });
  return merged;
}

interface Place {
  readonly path: string;
  readonly problems: TemplateProblem[];
}

function mergeObjects(base: JsonObject, patch: JsonObject, place: Place): JsonObject {
  const merged: Record<string, unknown> = { ...base };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) {
      merged[field] = undefined;
      continue;
    }
    const at = { ...place, path: `${place.path}${step(field)}` };
    merged[field] = mergeValues(base[field], value, { ...at, key: MERGE_KEYS[field] });
  }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

interface KeyedPlace extends Place {
  readonly key: string | undefined;
}

function mergeValues(base: unknown, patch: unknown, place: KeyedPlace): unknown {
  if (Array.isArray(patch)) {
    const { key } = place;
    const list = patch as readonly unknown[];
    return key === undefined ? list : mergeLists(base, list, { ...place, key });
  }
  if (isJsonObject(patch)) return mergeObjects(isJsonObject(base) ? base : {}, patch, place);
  return patch;
}

function mergeLists(
  base: unknown,
  patch: readonly unknown[],
  place: Place & { readonly key: string },
): readonly unknown[] {
  const { key, path, problems } = place;
  const merged = new Map<string, JsonObject>();
  for (const item of Array.isArray(base) ? base.filter(isJsonObject) : []) {
    merged.set(String(item[key]), item);
  }
  patch.forEach((item, i) => {
    const name = isJsonObject(item) ? item[key] : undefined;
    if (!isJsonObject(item) || typeof name !== 'string' || name === '') {
      problems.push({
        path: `${path}[${i}].${key}`,
        message: `needs a text: items merge by ${key}`,
      });
      return;
    }
    const at = { problems, path: `${path}[${key}=${JSON.stringify(name)}]` };
    if (isRemoval(item, key)) merged.delete(name);
    else merged.set(name, mergeObjects(merged.get(name) ?? {}, item, at));
  });
  return [...merged.values()];
}

function isRemoval(item: JsonObject, key: string): boolean {
  const others = Object.entries(item).filter(([field]) => field !== key);
  return others.length > 0 && others.every(([, value]) => value === null);
}

/** `.image`, or `["nvidia.com/gpu"]` where the name is no plain word. */
function step(field: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(field) ? `.${field}` : `[${JSON.stringify(field)}]`;
}
