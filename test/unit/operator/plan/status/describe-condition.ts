import { describe, expect, test } from 'vitest';

import type { StatusFacts } from '../../../../../operator/plan/status/facts.ts';
import { conditionOf } from './builders.ts';

/** A rule, what differs from a healthy service, and the condition as `conditionOf` writes it. */
export type ConditionRow = readonly [
  rule: string,
  facts: Partial<StatusFacts>,
  expected: string | null,
];

export function describeCondition(type: string, rows: readonly ConditionRow[]): void {
  describe(type, () => {
    test.each(rows)('%s', (_, facts, expected) => {
      expect(conditionOf(type, facts)).toBe(expected);
    });
  });
}
