import { describe, expect, test } from 'vitest';
import type { PoolSize } from '../../../../crds/wire/head-bundle.ts';
import { THRESHOLDS } from '../../../../crds/wire/lambda-grid.ts';
import { decideRow } from '../../../../server/core/decide.ts';
import { InvariantError } from '../../../../server/core/invariant.ts';
import { createPrices } from '../../../../operator/training/price.ts';
import { denseMacs } from '../../../../server/core/head.ts';
import { fullTraining, isCheapToTrain } from '../../../../operator/training/settings.ts';
import { optionsFor } from '../../../../operator/training/search.ts';
import {
  chooseSubset,
  rankSubsets,
  subsetsUpTo,
  type SubsetChoice,
  type SubsetHead,
  type SubsetLimits,
} from '../../../../operator/training/subset.ts';
import { expectClose } from '../../../support/expect-close.ts';
import { evenCosts, withCompanionCosts } from '../../../support/sample-batches.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const HEAD_COST = { fixedMs: 0.01, msPerMillionMacs: 0.1 };
const LIMITS: SubsetLimits = { budget: 0.02, maxActiveExits: 3, maxBytes: 1e6, maxHeadMs: 10 };

describe('prices', () => {
  const costs = {
    ...evenCosts(['a', 'b', 'c']),
    segmentMs: [
      [1, 1.2, 1, 1],
      [8, 8, 8, 8],
    ],
    compactMs: [
      [0, 0, 0],
      [0.1, 0.2, 0.3],
    ],
  };

  test('a cut is where its segments end, as a share of all segments', () => {
    const { shareTo } = createPrices(costs, HEAD_COST, 1);
    expectClose([shareTo('tensor.a'), shareTo('tensor.b')], [1 / 4.2, 2.2 / 4.2], { rel: 1e-12 });
    expect(() => shareTo('tensor.x')).toThrow(InvariantError);
  });

  test('the surplus of cutting is charged to the cuts that stay', () => {
    const { tableFor } = createPrices(costs, HEAD_COST, 1);
    const table = tableFor([{ tensor: 'tensor.b', macs: 2e6 }]);
    expect(table.cuts).toEqual(['tensor.b']);
    expectClose(table.segmentMs[0]!, [(2.2 / 4.2) * 4, (2 / 4.2) * 4], { rel: 1e-12 });
    expectClose(table.headMs[0]!, [0.01 + 0.2 + 0.2 / 3], { rel: 1e-9 });
  });

  test('the largest measured batch not above the usual one sets them, else the smallest', () => {
    const eight = createPrices(costs, HEAD_COST, 31);
    expect([eight.batchRows, eight.plainMs]).toEqual([8, 32]);
    expectClose(eight.headMs(1e6), 0.01 + 0.8, { rel: 1e-12 });
    expect(eight.tableFor([{ tensor: 'tensor.c', macs: 0 }]).compactMs).toEqual([[0.3]]);
    expect(createPrices({ ...costs, batchSizes: [4, 8] }, HEAD_COST, 1).batchRows).toBe(4);
    expect(() => createPrices({ ...costs, batchSizes: [] }, HEAD_COST, 1)).toThrow(InvariantError);
  });

  test('a companion is a segment before the backbone, charged as it was measured', () => {
    const digest = 'sha256:1';
    const table = withCompanionCosts(costs, digest, 0.25);
    const prices = createPrices(table, HEAD_COST, 1);
    expectClose(prices.shareTo('tensor.a'), 1 / 4.2, { rel: 1e-12 });
    expect([prices.shareTo(digest), prices.ownMs(digest)]).toEqual([0, 1]);
    expect(prices.ownMs('tensor.a')).toBe(0);
    expect(prices.orderOf(digest)).toBeLessThan(prices.orderOf('tensor.a'));
    const heads = [
      { tensor: digest, macs: 0 },
      { tensor: 'tensor.b', macs: 2e6 },
    ];
    const chosen = prices.tableFor(heads);
    expect(chosen).toMatchObject({ cuts: [digest, 'tensor.b'], companions: 1 });
    expectClose(chosen.segmentMs[0]!, [1, (2.2 / 4.2) * 4, (2 / 4.2) * 4], { rel: 1e-12 });
    expectClose(chosen.headMs[0]!, [0, 0.01 + 0.2 + 0.2 / 3], { rel: 1e-9 });
    // 8 of 32 ms in the largest batch.
    expectClose(prices.workFor(heads).segmentMs[0]![0]!, 1, { rel: 1e-12 });
    expect(prices.workFor(heads).headMs[0]![0]).toBe(0);
  });

  test('a segment from the input is charged as it was measured, with its head', () => {
    const prices = createPrices({ ...costs, fromInput: true }, HEAD_COST, 1);
    const own = costs.segmentMs[0]!;
    expectClose(prices.shareTo('tensor.b'), own[1]! / own[3]!, { rel: 1e-12 });
    expect(prices.ownMs('tensor.b')).toBe(own[1]);
    const chosen = prices.tableFor([{ tensor: 'tensor.b', macs: 2e6 }]);
    expect(chosen).toMatchObject({ cuts: ['tensor.b'], fromInput: true });
    expect(chosen).not.toHaveProperty('companions');
    expect(chosen.segmentMs).toEqual([[own[1], chosen.plainMs[0]]]);
    expectClose(chosen.headMs[0]!, [0.01 + 0.2], { rel: 1e-9 });
  });

  test('multiply-adds of a head are those of its layers', () => {
    expect(denseMacs({ featureCount: 100, hidden: 0 }, 10)).toBe(1000);
    expect(denseMacs({ featureCount: 100, hidden: 64 }, 10)).toBe(64 * 110);
  });
});

describe('shapes worth a trial', () => {
  const exit = {
    name: 'a',
    tensor: 'tensor.a' as string | null,
    modelDigest: null,
    pool: 4 as PoolSize,
    channels: 64,
    height: 8,
    width: 8,
    featureCount: 1024,
  };
  const source = { exit, features: new Uint16Array(0) };
  const task = (plainMs: number) => ({
    prices: createPrices(evenCosts(['a', 'b', 'c'], plainMs), HEAD_COST, 1),
    maxBytes: 900_000,
    classCount: 10,
  });

  test('are the finest pool with the widest layers that time allows', () => {
    // 2 % of 4 ms = 0.08 ms: 0.26 M multiply-adds cost 0.036 ms, hidden 1,024 would cost 0.116.
    expect(optionsFor(source, 0, task(4)).map(({ pool, hidden }) => [pool, hidden])).toEqual([
      [4, 256],
      [4, 128],
    ]);
  });

  test('are few where bytes are few', () => {
    expect(
      optionsFor(source, 0, { ...task(4), maxBytes: 20_000 }).map(({ pool, hidden }) => [
        pool,
        hidden,
      ]),
    ).toEqual([
      [4, 0],
      [2, 64],
    ]);
  });

  test('there are none for a companion, for a head that costs what its cut saves, or at the very end', () => {
    expect(optionsFor({ ...source, exit: { ...exit, tensor: null } }, 0, task(4))).toEqual([]);
    expect(optionsFor(source, 0, task(0.01))).toEqual([]);
    const late = { ...task(4), prices: { ...task(4).prices, shareTo: () => 0.99 } };
    expect(optionsFor(source, 0, late)).toEqual([]);
  });
});

/** Heads of one random world: the later, the surer and the more often right. */
function someHeads(count: number, rows: number): SubsetHead[] {
  const random = seededRandom([count, rows]);
  const ease = Array.from({ length: rows }, () => random.normal());
  return Array.from({ length: count }, (_, e) => {
    const logits = ease.map((value) => 1.5 + e * 0.7 + 2.5 * value + random.normal());
    return {
      tensor: `tensor.${e}`,
      macs: 1e5 * (1 + (e % 3)),
      sizeBytes: 1000 * (1 + ((e * 7) % 5)),
      headMs: 0.02 + 0.01 * (e % 3),
      scores: Float64Array.from(logits, (z) => 1 / (1 + Math.exp(-z))),
      agrees: Uint8Array.from(logits, (z) => (random.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0)),
    };
  });
}

interface Simulated {
  readonly saving: number;
  readonly disagreements: number;
}

/** One lambda on every row by decideRow, paths added up by hand. */
function simulate(
  heads: readonly SubsetHead[],
  lambdaIndex: number,
  { exits, fixedMs = 0.01 }: { readonly exits: readonly string[]; readonly fixedMs?: number },
): Simulated {
  const rows = heads[0]!.scores.length;
  let cost = 0;
  let disagreements = 0;
  for (let row = 0; row < rows; row++) {
    const at = decideRow(
      heads.map(({ scores }) => scores[row]!),
      lambdaIndex,
      heads.length,
    );
    const seen = heads.slice(0, at === -1 ? heads.length : at + 1);
    const share =
      at === -1 ? 1 : (exits.indexOf(heads[at]!.tensor.slice(7)) + 1) / (exits.length + 1);
    cost += 4 * share + seen.reduce((sum, { macs }) => sum + fixedMs + macs * 1e-7, 0);
    if (at !== -1 && heads[at]!.agrees[row] === 0) disagreements++;
  }
  return { saving: 1 - cost / rows / 4, disagreements };
}

interface Found {
  readonly subset: readonly number[];
  readonly worth: number;
  readonly workWorth: number;
}

function bruteForce(heads: readonly SubsetHead[], limits: SubsetLimits): Found[] {
  const exits = heads.map(({ tensor }) => tensor.slice(7));
  const found: Found[] = [];
  for (let bits = 1; bits < 2 ** heads.length; bits++) {
    const subset = heads.map((_, i) => i).filter((i) => (bits >> i) & 1);
    const chosen = subset.map((i) => heads[i]!);
    const total = (of: (head: SubsetHead) => number): number =>
      chosen.reduce((sum, head) => sum + of(head), 0);
    if (subset.length > limits.maxActiveExits) continue;
    if (total((h) => h.sizeBytes) > limits.maxBytes || total((h) => h.headMs) > limits.maxHeadMs)
      continue;
    const rows = heads[0]!.scores.length;
    const mean = (fixedMs: number): number => {
      const columns = Array.from(THRESHOLDS, (_, j) => simulate(chosen, j, { exits, fixedMs }));
      const savings = [0.5, 0.6, 0.7, 0.8, 0.9, 1].map((share) => {
        const j = columns.findLastIndex(
          ({ disagreements }) => disagreements <= share * limits.budget * rows,
        );
        return j === -1 ? 0 : columns[j]!.saving;
      });
      return savings.reduce((a, b) => a + b, 0) / 6;
    };
    found.push({ subset, worth: mean(0.01), workWorth: mean(0) });
  }
  return found.sort((a, b) => b.worth - a.worth);
}

describe('the choice of exits', () => {
  const heads = someHeads(5, 300);
  const exits = ['0', '1', '2', '3', '4'];
  const prices = createPrices(evenCosts(exits), HEAD_COST, 1);

  test.each([
    ['room for all', LIMITS],
    ['few bytes', { ...LIMITS, maxBytes: 4000 }],
    ['little time', { ...LIMITS, maxHeadMs: 0.06 }],
    ['one exit', { ...LIMITS, maxActiveExits: 1 }],
  ])('equals brute force over subsets, lambdas and rows: %s', (_, limits) => {
    const all = bruteForce(heads, limits);
    const near = all.filter(({ worth }) => worth > 0 && worth >= all[0]!.worth - 0.025);
    const most = Math.max(...near.map(({ workWorth }) => workWorth));
    const expected = near.find(({ workWorth }) => workWorth === most)!;
    const choice = chooseSubset(heads, limits, prices)!;
    expect(choice.heads).toEqual(expected.subset);
    expectClose([choice.worth, choice.workWorth], [expected.worth, expected.workWorth], {
      abs: 1e-9,
    });
    expect(choice.disagreementRatio).toBeLessThanOrEqual(0.7 * limits.budget);
    const chosen = choice.heads.map((i) => heads[i]!);
    const { saving } = simulate(chosen, choice.lambdaIndex, { exits });
    expectClose(choice.saving, saving, { abs: 1e-9 });
  });

  test('among subsets equal in time takes the one that saves most work', () => {
    // The first head answers half of the rows, the second one row in twenty more: a third of the backbone each.
    const head = (tensor: string, share: number): SubsetHead => ({
      ...{ tensor, macs: 0, sizeBytes: 1000, headMs: 0.01 },
      scores: Float64Array.from({ length: 1000 }, (_, row) => (row < share * 1000 ? 0.99999 : 0)),
      agrees: new Uint8Array(1000).fill(1),
    });
    const pair = [head('tensor.0', 0.5), head('tensor.1', 0.55)];
    const choose = (fixedMs: number): SubsetChoice[] => {
      const dear = createPrices(evenCosts(['0', '1']), { ...HEAD_COST, fixedMs }, 1);
      return [rankSubsets(pair, LIMITS, dear)[0]!, chooseSubset(pair, LIMITS, dear)!];
    };
    expect(choose(0.01).map((choice) => choice.heads)).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(choose(0.16).map((choice) => choice.heads)).toEqual([[0], [0, 1]]);
    expect(choose(0.5).map((choice) => choice.heads)).toEqual([[0], [0]]);
  });

  test('there are 92 subsets of up to 3 of 8 exits and 162 of up to 4', () => {
    expect([subsetsUpTo(8, 3).length, subsetsUpTo(8, 4).length]).toEqual([92, 162]);
  });

  test('is null without heads, without rows, when nothing fits, and when every lambda is over budget', () => {
    expect(chooseSubset([], LIMITS, prices)).toBeNull();
    const empty = { ...heads[0]!, scores: new Float64Array(0), agrees: new Uint8Array(0) };
    expect(chooseSubset([empty], LIMITS, prices)).toBeNull();
    expect(chooseSubset(heads, { ...LIMITS, maxBytes: 10 }, prices)).toBeNull();
    const wrong = {
      ...heads[0]!,
      scores: heads[0]!.scores.map(() => 1),
      agrees: new Uint8Array(300),
    };
    expect(chooseSubset([wrong], LIMITS, prices)).toBeNull();
  });

  test('a head that is only good above part of the budget is worth nothing below it', () => {
    // 4 of 300 rows wrong and as sure as the rest: within 0.7 budgets of 2 % (4.2 rows), not within 0.6.
    const scores = new Float64Array(300).fill(0.99999);
    const agrees = Uint8Array.from({ length: 300 }, (_, row) => (row < 4 ? 0 : 1));
    const choice = chooseSubset([{ ...heads[0]!, scores, agrees }], LIMITS, prices)!;
    expectClose(choice.worth, (4 / 6) * choice.saving, { rel: 1e-9 });
  });
});

describe('training in full', () => {
  test('takes fewer epochs where a head is wide or rows are many, by counting, never by time', () => {
    expect(fullTraining(8000, 130_000).epochs).toBe(40);
    expect(fullTraining(8000, 330_000).epochs).toBe(24);
    expect(fullTraining(50_000, 520_000).epochs).toBe(15);
  });

  test('a head is cheap up to half of the most work one may cost', () => {
    expect(isCheapToTrain(8000, 100_000)).toBe(true);
    expect(isCheapToTrain(8000, 100_001)).toBe(false);
  });
});
