import type { AnsweredRow } from '../queue/job.ts';
import { policyLabel } from '../serving.ts';

/** Who answered: the row that went deepest stands for its request. */
export interface AnswerFacts {
  readonly deepest: AnsweredRow;
  /** For the parameters of the answer. */
  readonly parameters: Readonly<Record<string, string | number>>;
  /** The two that every answer carries. */
  readonly headers: Record<string, string | number>;
}

export function describeAnswer(rows: readonly AnsweredRow[]): AnswerFacts {
  const deepest = rows.reduce((deep, row) => (depth(row) > depth(deep) ? row : deep));
  const policy = policies(rows);
  const scores = rows.flatMap(({ answer }) => (answer.exit === -1 ? [] : [answer.score]));
  const revisions = rows.flatMap(({ headRevision }) => headRevision ?? []);
  return {
    deepest,
    parameters: {
      layercache_exit: deepest.exit,
      ...(rows.length > 1 ? { layercache_exits: rows.map(({ exit }) => exit).join(',') } : {}),
      ...(scores.length > 0 ? { layercache_score: Math.min(...scores) } : {}),
      layercache_policy: policy,
      ...(revisions.length > 0 ? { layercache_head_revision: distinct(revisions) } : {}),
      layercache_track: distinct(rows.map(({ track }) => track)),
    },
    headers: { 'layercache-exit': deepest.exit, 'layercache-policy': policy },
  };
}

function depth({ answer }: AnsweredRow): number {
  return answer.exit === -1 ? Infinity : answer.exit;
}

/** Rows of one request may have run in two batches, under two policies: then both are named. */
function policies(rows: readonly AnsweredRow[]): string {
  return distinct(rows.map(({ serving }) => policyLabel(serving)));
}

function distinct(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : [...new Set(values)].join(',');
}
