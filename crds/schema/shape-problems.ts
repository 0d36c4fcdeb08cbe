import type { z } from 'zod';

import { formatPercent } from '../v1alpha1/percent.ts';
import { formatPath, valueAt } from '../wire/json.ts';
import { nearestNames } from './edit-distance.ts';
import { fieldAt, treeOf, walkFields, type FieldNode } from './field-tree.ts';

/** A problem at a path of the manifest, before it has a line. */
export interface FieldProblem {
  readonly path: readonly PropertyKey[];
  /** The problem is the field's name, not its value. */
  readonly atKey: boolean;
  readonly message: string;
  readonly fix: string;
}

type Issue = z.core.$ZodIssue;

/** `what is wrong: what to do` -> its two halves. A message that only says what to do gets a neutral first half. */
export function splitMessage(message: string): { readonly message: string; readonly fix: string } {
  if (message.startsWith('write ')) return { message: 'this value is not allowed', fix: message };
  const colon = message.indexOf(': ');
  if (colon >= 0) return { message: message.slice(0, colon), fix: message.slice(colon + 2) };
  return { message, fix: 'change this value' };
}

function placesOf(root: FieldNode, name: string): string[] {
  const places: string[] = [];
  walkFields(root, (path) => {
    if (path.endsWith(`.${name}`)) places.push(path);
  });
  return places.slice(0, 3);
}

function unknownFieldFix(root: FieldNode, node: FieldNode | undefined, name: string): string {
  const known = Object.keys(node?.properties ?? {});
  const nearest = nearestNames(name, known);
  if (nearest.length > 0) return `did you mean ${nearest.join(' or ')}?`;
  const elsewhere = placesOf(root, name);
  if (elsewhere.length > 0) return `it belongs to ${elsewhere.join(' or ')}`;
  return `remove it, or use one of ${known.join(', ')}`;
}

function unknownFields(
  issue: Extract<Issue, { code: 'unrecognized_keys' }>,
  root: FieldNode,
): FieldProblem[] {
  const node = fieldAt(root, issue.path);
  return issue.keys.map((key) => ({
    path: [...issue.path, key],
    atKey: true,
    message: 'unknown field',
    fix: unknownFieldFix(root, node, key),
  }));
}

function missingField(issue: Issue, node: FieldNode | undefined): FieldProblem {
  return {
    path: issue.path,
    atKey: true,
    message: 'required field is missing',
    fix: `add ${whatIsMissing(String(issue.path.at(-1)), node)}`,
  };
}

/** An example is shown whole: it is there to be copied. */
function whatIsMissing(name: string, node: FieldNode | undefined): string {
  const example = node?.example ?? node?.enum?.[0];
  if (example !== undefined) return `${name}: ${JSON.stringify(example)}`;
  if (node?.type === 'object') return `the block ${name}`;
  return node?.type === 'array' ? `the list ${name}` : `${name}: ...`;
}

function enumProblem(issue: Issue, values: readonly unknown[], value: unknown): FieldProblem {
  const names = values.map(String);
  const nearest = nearestNames(String(value), names);
  return {
    path: issue.path,
    atKey: false,
    message: `unknown value, supported: ${names.join(', ')}`,
    fix: `write ${nearest[0] ?? names.join(' or ')}`,
  };
}

/** A bare number may be meant as a ratio or as a percentage; both spellings are shown. */
function percentFix(value: unknown): string | null {
  const number = Number(value);
  if (value === '' || typeof value === 'object' || !(number > 0 && number <= 1)) return null;
  return `for the ratio ${number} write "${formatPercent(number)}", for the percentage "${number}%"`;
}

function valueProblem(issue: Issue, node: FieldNode | undefined, value: unknown): FieldProblem {
  const { message, fix } = splitMessage(issue.message.replace(/^Invalid input: /, ''));
  const isPercent = node?.bounds?.includes('%') === true && node.type === 'string';
  return {
    path: issue.path,
    atKey: false,
    message,
    fix: (isPercent ? percentFix(value) : null) ?? fix,
  };
}

function toProblems(issue: Issue, manifest: unknown, root: FieldNode): FieldProblem[] {
  if (issue.code === 'unrecognized_keys') return unknownFields(issue, root);
  const node = fieldAt(root, issue.path);
  const value = valueAt(manifest, issue.path);
  if (value === undefined) return [missingField(issue, node)];
  if (issue.code === 'invalid_value') return [enumProblem(issue, issue.values, value)];
  return [valueProblem(issue, node, value)];
}

/** Everything that the schema refuses in a manifest, one problem per field. */
export function findShapeProblems(manifest: unknown, schema: z.ZodType): readonly FieldProblem[] {
  const outcome = schema.safeParse(manifest);
  if (outcome.success) return [];
  const root = treeOf(schema);
  return outcome.error.issues.flatMap((issue) => toProblems(issue, manifest, root));
}

/** `spec.exits[0]` and everything below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}.`) || path.startsWith(`${ancestor}[`);
}

/** Path of a problem as text. */
export function pathOf(problem: FieldProblem): string {
  return formatPath(problem.path);
}
