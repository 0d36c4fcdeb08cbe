import type { z } from 'zod';

import type { Rule } from '../v1alpha1/rule.ts';
import { formatPath, valueAt } from '../wire/json.ts';
import { fieldAt, treeOf, type FieldNode } from './field-tree.ts';
import type { ManifestKind } from './manifest-kinds.ts';
import { isWithin, pathOf, splitMessage, type FieldProblem } from './shape-problems.ts';

type Container = Record<PropertyKey, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

function isRequired(root: FieldNode, path: readonly PropertyKey[]): boolean {
  return fieldAt(root, path.slice(0, -1))?.required?.includes(String(path.at(-1))) === true;
}

/**
 * What goes with a malformed value: an optional field alone; a required one takes its block along; a list item its list,
 * so that the places of the other items do not move.
 */
function removablePath(
  root: FieldNode,
  path: readonly PropertyKey[],
  replaceable: ReadonlySet<string>,
): readonly PropertyKey[] {
  let target = path;
  while (
    !replaceable.has(formatPath(target)) &&
    (typeof target.at(-1) === 'number' || isRequired(root, target))
  ) {
    target = target.slice(0, -1);
  }
  return target;
}

/** The manifest without its malformed fields, or null when too little of it is left. */
function soundPart<S extends z.ZodType>(
  manifest: unknown,
  problems: readonly FieldProblem[],
  { schema, standIns }: ManifestKind<S>,
): z.output<S> | null {
  const copy = copyOf(manifest);
  const root = treeOf(schema);
  const replaceable = new Set(standIns.map(([path]) => formatPath(path)));
  for (const { path } of problems) {
    const target = removablePath(root, path, replaceable);
    const holder = valueAt(copy, target.slice(0, -1));
    if (isContainer(holder)) Reflect.deleteProperty(holder, target.at(-1) ?? '');
  }
  for (const [path, value] of standIns) {
    const holder = valueAt(copy, path.slice(0, -1));
    if (isContainer(holder)) holder[String(path.at(-1))] ??= copyOf(value);
  }
  const outcome = schema.safeParse(copy);
  return outcome.success ? outcome.data : null;
}

function copyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/**
 * Broken rules between fields, also in a manifest with malformed fields: a rule speaks when everything that it looks at
 * is well formed.
 */
export function findRuleProblems<S extends z.ZodType>(
  manifest: unknown,
  shapeProblems: readonly FieldProblem[],
  kind: ManifestKind<S>,
  rules: readonly Rule<z.output<S>>[] = kind.rules,
): readonly FieldProblem[] {
  const object = soundPart(manifest, shapeProblems, kind);
  if (object === null) return [];
  const malformed = shapeProblems.map(pathOf);
  const isSound = (path: string): boolean => !malformed.some((bad) => isWithin(bad, path));
  return rules
    .filter((rule) => rule.reads.every(isSound))
    .flatMap((rule) => rule.brokenAt(object).map((path) => ({ rule, path })))
    .filter(({ path }) => isSound(formatPath(path)))
    .map(({ rule, path }) => ({
      path,
      atKey: false,
      ...(rule.fix === undefined
        ? splitMessage(rule.message)
        : { message: rule.message, fix: rule.fix }),
    }));
}
