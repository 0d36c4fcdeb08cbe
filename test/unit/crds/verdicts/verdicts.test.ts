import { describe, expect, test } from 'vitest';

import { isWithin } from '../../../../crds/schema/shape-problems.ts';
import { BOUND_ROWS, RULE_ROWS, STATUS_ROWS } from './rows.ts';
import { judge, judgeStatus } from './twins.ts';

// The same rows run through a real API server in test/cluster/api.

/** Problems of rows whose shape is not judged as foretold. */
function surprises(
  rows: readonly { readonly what: string; readonly malformed?: string | null }[],
  malformedOf: (index: number) => readonly string[],
): string[] {
  return rows.flatMap(({ what, malformed }, i) => {
    const found = malformedOf(i);
    const isForetold =
      malformed === null || malformed === undefined
        ? found.length === 0
        : found.some((path) => isWithin(path, malformed));
    return isForetold ? [] : [`${what}: found ${found.join() || 'nothing'}`];
  });
}

describe('the parser', () => {
  test('takes every field just inside its bounds and refuses it just outside', () => {
    expect(BOUND_ROWS.length).toBeGreaterThan(800);
    const malformedOf = (i: number): readonly string[] =>
      judge(BOUND_ROWS[i]!.kind, BOUND_ROWS[i]!.object).malformed;
    expect(surprises(BOUND_ROWS, malformedOf)).toEqual([]);
  });

  test('does the same for every field of the statuses', () => {
    const malformedOf = (i: number): readonly string[] =>
      judgeStatus(STATUS_ROWS[i]!.kind, STATUS_ROWS[i]!.status).malformed;
    expect(surprises(STATUS_ROWS, malformedOf)).toEqual([]);
  });
});

test('the rows of the rules are well formed, and each breaks what it says', () => {
  for (const { what, kind, object, broken } of RULE_ROWS) {
    const judgement = judge(kind, object);
    expect(judgement.malformed, what).toEqual([]);
    if (broken !== undefined) expect(judgement.broken.join('\n'), what).toContain(broken);
  }
});
