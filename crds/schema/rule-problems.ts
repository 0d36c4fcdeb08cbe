import {
  API_VERSION,
  cachedModelService,
  KIND,
  type CachedModelService,
} from '../v1alpha1/cached-model-service.ts';
import type { Rule } from '../v1alpha1/rule.ts';
import { formatPath, valueAt } from '../wire/json.ts';
import { fieldAt, fieldTree, type FieldNode } from './field-tree.ts';
import { isWithin, pathOf, splitMessage, type FieldProblem } from './shape-problems.ts';

type Container = Record<PropertyKey, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Required fields that get a value which breaks no rule, so that the rest can be looked at. */
const STAND_INS: readonly (readonly [path: readonly string[], value: unknown])[] = [
  [['apiVersion'], API_VERSION],
  [['kind'], KIND],
  [['metadata'], {}],
  [['metadata', 'name'], 'name'],
  [['spec'], {}],
  [['spec', 'backbone'], {}],
  [['spec', 'backbone', 'uri'], 'file:model.onnx'],
  [['spec', 'accuracy'], {}],
  [['spec', 'accuracy', 'maxDisagreement'], '1%'],
];

const STAND_IN_PATHS = new Set(STAND_INS.map(([path]) => formatPath(path)));

function isRequired(root: FieldNode, path: readonly PropertyKey[]): boolean {
  return fieldAt(root, path.slice(0, -1))?.required?.includes(String(path.at(-1))) === true;
}

/**
 * What goes with a malformed value: an optional field alone; a required one takes its block along; a list item its list,
 * so that the places of the other items do not move.
 */
function removablePath(root: FieldNode, path: readonly PropertyKey[]): readonly PropertyKey[] {
  let target = path;
  while (
    !STAND_IN_PATHS.has(formatPath(target)) &&
    (typeof target.at(-1) === 'number' || isRequired(root, target))
  ) {
    target = target.slice(0, -1);
  }
  return target;
}

/** The manifest without its malformed fields, or null when too little of it is left. */
function soundPart(
  manifest: unknown,
  problems: readonly FieldProblem[],
): CachedModelService | null {
  const copy: unknown = JSON.parse(JSON.stringify(manifest));
  const root = fieldTree();
  for (const { path } of problems) {
    const target = removablePath(root, path);
    const holder = valueAt(copy, target.slice(0, -1));
    if (isContainer(holder)) Reflect.deleteProperty(holder, target.at(-1) ?? '');
  }
  for (const [path, value] of STAND_INS) {
    const holder = valueAt(copy, path.slice(0, -1));
    if (isContainer(holder)) holder[String(path.at(-1))] ??= typeof value === 'object' ? {} : value;
  }
  const outcome = cachedModelService.safeParse(copy);
  return outcome.success ? outcome.data : null;
}

/**
 * Broken rules between fields, also in a manifest with malformed fields: a rule speaks when everything that it looks at
 * is well formed.
 */
export function findRuleProblems(
  manifest: unknown,
  shapeProblems: readonly FieldProblem[],
  rules: readonly Rule<CachedModelService>[],
): readonly FieldProblem[] {
  const service = soundPart(manifest, shapeProblems);
  if (service === null) return [];
  const malformed = shapeProblems.map(pathOf);
  const isSound = (path: string): boolean => !malformed.some((bad) => isWithin(bad, path));
  return rules
    .filter((rule) => rule.reads.every(isSound))
    .flatMap((rule) => rule.brokenAt(service).map((path) => ({ rule, path })))
    .filter(({ path }) => isSound(formatPath(path)))
    .map(({ rule, path }) => ({
      path,
      atKey: false,
      ...(rule.fix === undefined
        ? splitMessage(rule.message)
        : { message: rule.message, fix: rule.fix }),
    }));
}
