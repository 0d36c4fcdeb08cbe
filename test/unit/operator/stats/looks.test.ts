import { describe, expect, test } from 'vitest';
import {
  addTick,
  emptyBlocks,
  type BlockedEvidence,
} from '../../../../operator/stats/dispersion.ts';
import { dueLook, lookSizes, reassessLook, takeLook } from '../../../../operator/stats/looks.ts';
import { aGrid } from '../../../support/builders.ts';

const TERMS = { budget: 0.01, confidence: 0.95, attempt: 1 };

function evidence(blocks: number, rowsPerBlock: number, disagreements = 0): BlockedEvidence {
  let sum = emptyBlocks(2);
  for (let i = 0; i < blocks; i++) sum = addTick(sum, aGrid(rowsPerBlock, disagreements));
  return sum;
}

describe('looks', () => {
  test('are taken at n1, 3 n1 and 10 n1', () => {
    expect(lookSizes(1_000)).toEqual([1_000, 3_000, 10_000]);
  });

  test('come at the first block end with enough rows', () => {
    expect(dueLook(evidence(19, 50), 1_000, 0)).toBeNull();
    expect(dueLook(evidence(20, 50), 1_000, 0)).toBe(1);
    expect(dueLook(evidence(20, 50), 1_001, 0)).toBeNull();
  });

  test('wait for 20 blocks however many rows there are', () => {
    expect(dueLook(evidence(19, 5_000), 1_000, 0)).toBeNull();
  });

  test('that the next has overrun are forfeited', () => {
    expect(dueLook(evidence(20, 150), 1_000, 0)).toBe(2);
    expect(dueLook(evidence(20, 5_000), 1_000, 0)).toBe(3);
  });

  test('are taken once', () => {
    expect(dueLook(evidence(25, 50), 1_000, 1)).toBeNull();
    expect(dueLook(evidence(200, 50), 1_000, 3)).toBeNull();
  });

  test('keep the counts they were taken on, of closed blocks only', () => {
    const taken = takeLook(addTick(evidence(20, 50), aGrid(49, 49)), 1, TERMS);
    expect(taken).toMatchObject({ look: 1, dispersion: 1, lambdaIndex: 119 });
    expect(taken.grid.n).toBe(1_000);
  });

  test('are recomputed from their counts to the same lambda, and to none under a tighter budget', () => {
    const taken = takeLook(evidence(20, 50), 1, TERMS);
    expect(reassessLook(taken, TERMS)).toBe(taken.lambdaIndex);
    expect(reassessLook(taken, { ...TERMS, budget: 0.003 })).toBeNull();
    expect(reassessLook(taken, { ...TERMS, attempt: 10 })).toBeNull();
  });
});
