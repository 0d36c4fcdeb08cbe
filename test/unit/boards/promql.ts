import { parser } from '@prometheus-io/lezer-promql';

/** What the parser could not read, with what stands around it. */
export function syntaxFaults(expr: string): string[] {
  const faults: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) faults.push(expr.slice(Math.max(0, from - 20), to + 20));
    },
  });
  return faults;
}

export interface Selector {
  readonly metric: string;
  /** With its matchers. */
  readonly text: string;
  /** `5m` of `[5m]`; null: of one time. */
  readonly range: string | null;
  /** The function that takes it at once; null: none does. */
  readonly calledBy: string | null;
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/** What a query selects. */
export function selectorsOf(expr: string): Selector[] {
  const selectors: Selector[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node }) => {
      if (name !== 'VectorSelector') return;
      const selector = readSelector(expr, node);
      if (selector !== null) selectors.push(selector);
    },
  });
  return selectors;
}

/** Null: it names no metric. */
function readSelector(expr: string, node: Node): Selector | null {
  const textOf = ({ from, to }: Pick<Node, 'from' | 'to'>): string => expr.slice(from, to);
  const identifier = node.getChild('Identifier');
  if (identifier === null) return null;
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : null;
  const called = callAbove(matrix ?? node)?.getChild('FunctionIdentifier') ?? null;
  return {
    metric: textOf(identifier),
    text: textOf(node),
    range: matrix === null ? null : expr.slice(node.to, matrix.to).replace(/[[\]\s]/g, ''),
    calledBy: called === null ? null : textOf(called),
  };
}

/** The call of which it is an argument. */
function callAbove({ parent }: Node): Node | null {
  const above = parent?.name === 'FunctionCallBody' ? parent.parent : parent;
  return above?.name === 'FunctionCall' ? above : null;
}
