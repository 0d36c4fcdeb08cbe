import { showValue, valueAt } from '../wire/json.ts';
import { pathOf, type FieldProblem } from './shape-problems.ts';
import type { SourceProblem, YamlDocument } from './yaml-source.ts';

/** One thing to correct in a manifest. Lines and columns count from 1. */
export interface ManifestProblem {
  /** `spec.exits[0].name`; empty for a problem of the YAML itself. */
  readonly path: string;
  /** The value as it was read, shortened; empty where there is none to show. */
  readonly value: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly fix: string;
}

/** A problem at a line, about no field. */
export function sourceProblem(problem: SourceProblem): ManifestProblem {
  return { path: '', value: '', ...problem };
}

/** A problem of a field, where the field stands. */
export function fieldProblem(
  problem: FieldProblem,
  manifest: unknown,
  document: YamlDocument,
): ManifestProblem {
  const { path, atKey, message, fix } = problem;
  const value = valueAt(manifest, path);
  const isBlock = typeof value === 'object' && value !== null;
  return {
    path: pathOf(problem),
    value: value === undefined || isBlock ? '' : showValue(value),
    ...document.locate(path, atKey || isBlock),
    message,
    fix,
  };
}

/** In the order of the file. */
export function inOrder(problems: readonly ManifestProblem[]): readonly ManifestProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Problems as people read them: `file:line:column: path: value: message`, then the fix on a line of its own. */
export function formatProblems(problems: readonly ManifestProblem[], fileName: string): string {
  const lines = problems.map(({ path, value, line, column, message, fix }) => {
    const subject = [path, value].filter((part) => part !== '').join(': ');
    return `${fileName}:${line}:${column}: ${subject === '' ? '' : `${subject}: `}${message}\n  fix: ${fix}\n`;
  });
  return lines.join('');
}
