import { cachedModelService, type CachedModelService } from '../v1alpha1/cached-model-service.ts';
import type { ServiceRule } from '../v1alpha1/rules.ts';
import { formatPath, valueAt } from '../wire/json.ts';
import { isWithin, pathOf, splitMessage, type FieldProblem } from './shape-problems.ts';

type Container = Record<PropertyKey, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Removes the value at a path; a list loses itself, so that the places of its other items do not move. */
function removeAt(root: unknown, path: readonly PropertyKey[]): void {
  const firstItem = path.findIndex((part) => typeof part === 'number');
  const target = valueAt(root, path) === undefined ? path.slice(0, -1) : path;
  const end = typeof target.at(-1) === 'number' ? firstItem : target.length;
  const holder = valueAt(root, target.slice(0, end - 1));
  if (isContainer(holder)) Reflect.deleteProperty(holder, target[end - 1] ?? '');
}

/** What a rule may look at although other fields are malformed: required fields get a value that breaks no rule. */
function fillRequired(root: unknown): void {
  if (!isContainer(root)) return;
  root.metadata ??= { name: 'name' };
  const spec = (root.spec ??= {});
  if (!isContainer(spec)) return;
  spec.backbone ??= { uri: 'file:model.onnx' };
  spec.accuracy ??= { maxDisagreement: '1%' };
}

/** The manifest without its malformed fields, or null when too little of it is left. */
function soundPart(
  manifest: unknown,
  problems: readonly FieldProblem[],
): CachedModelService | null {
  const copy: unknown = JSON.parse(JSON.stringify(manifest));
  for (const problem of problems) removeAt(copy, problem.path);
  fillRequired(copy);
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
  rules: readonly ServiceRule[],
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
