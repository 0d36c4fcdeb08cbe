import { readFileSync } from 'node:fs';
import ts from 'typescript';

const CALLS: ReadonlySet<string> = new Set(['test', 'describe']);

/** Titles of the tests and groups of a file as they are written, placeholders included; in whatever way they are made. */
export function testTitles(path: string): ReadonlySet<string> {
  const text = readFileSync(path, 'utf8');
  const titles = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && CALLS.has(nameOf(node.expression))) {
      const [first] = node.arguments;
      if (first !== undefined && ts.isStringLiteralLike(first)) titles.add(first.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2023));
  return titles;
}

/** `test` of `test`, `test.skipIf(...)` and `test.each(...)`. */
function nameOf(called: ts.Expression): string {
  if (ts.isIdentifier(called)) return called.text;
  if (ts.isPropertyAccessExpression(called) || ts.isCallExpression(called))
    return nameOf(called.expression);
  return '';
}
