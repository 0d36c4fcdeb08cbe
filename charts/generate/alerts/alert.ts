import type { Query } from '../queries/query.ts';

export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Labels by which an alert finds its board. */
export type Board = 'layercache-service' | 'layercache-rollout' | 'layercache-operator';

export interface Alert {
  /** Without the prefix that all names have. */
  readonly name: string;
  readonly severity: Severity;
  /** One sentence; may name labels of the result. */
  readonly summary: string;
  /** What is wrong and what follows from it, in one or two sentences. */
  readonly description: string;
  readonly expr: string;
  /** Of the series that it gives. */
  readonly labels: readonly string[];
  readonly forMinutes: number;
  readonly keepFiringMinutes: number;
  readonly board: Board;
}

/** An alert of a query whose labels its texts name. */
export function alert<L extends string>(
  about: Omit<Alert, 'expr' | 'labels' | 'summary' | 'description'> & {
    readonly query: Query<L>;
    readonly summary: string;
    readonly description: string;
  },
): Alert {
  const { query, ...rest } = about;
  const known: readonly string[] = query.labels ?? [];
  for (const text of [rest.summary, rest.description]) {
    for (const [, label] of text.matchAll(/\$labels\.(\w+)/g)) {
      if (!known.includes(String(label))) {
        throw new Error(`${rest.name} names the label ${String(label)}, which its query lacks.`);
      }
    }
  }
  return { ...rest, expr: query.text, labels: known };
}
