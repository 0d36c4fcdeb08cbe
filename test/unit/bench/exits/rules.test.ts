import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../server/core/random.ts';
import { belowThresholds, errorsOf, tuneApparate } from '../../../bench/exits/rules/apparate.ts';
import type { Answers, HeadAnswers } from '../../../bench/exits/rules/answers.ts';
import { nothing, outcomeOf } from '../../../bench/exits/rules/outcome.ts';
import { afterPatience } from '../../../bench/exits/rules/patience.ts';
import {
  certifiedRule,
  patienceRule,
  settle,
  thresholdRule,
} from '../../../bench/exits/rules/rule.ts';
import { aboveThreshold, bestThreshold, sweepOf } from '../../../bench/exits/rules/threshold.ts';

function aHead(rows: readonly { score: number; agrees: boolean; class?: number }[]): HeadAnswers {
  return {
    classes: Uint16Array.from(rows, (row) => row.class ?? 0),
    agrees: Uint8Array.from(rows, ({ agrees }) => (agrees ? 1 : 0)),
    isRight: Uint8Array.from(rows, ({ agrees }) => (agrees ? 1 : 0)),
    logitMax: Float64Array.from(rows, ({ score }) => score),
    entropy: Float64Array.from(rows, ({ score }) => -score),
    score: Float64Array.from(rows, ({ score }) => score),
  };
}

function answersOf(exits: readonly HeadAnswers[], path: readonly number[]): Answers {
  const rowCount = exits[0]?.classes.length ?? 0;
  return { rowCount, exits, path, backboneIsRight: new Uint8Array(rowCount).fill(1) };
}

/** Heads whose agreement grows with their score, and the later head with more of it. */
function someAnswers(rowCount: number): Answers {
  const random = createRandom(7);
  const exits = [2, 4].map((skill) =>
    aHead(
      Array.from({ length: rowCount }, () => {
        const score = 3 * random.normal() + skill;
        return { score, agrees: random.uniform() < 1 / (1 + Math.exp(-score)) };
      }),
    ),
  );
  return answersOf(exits, [0.25, 0.6, 1.05]);
}

const allRows = ({ rowCount }: Answers): Uint32Array =>
  Uint32Array.from({ length: rowCount }, (_, row) => row);

describe('one threshold', () => {
  test('is the best of all that exist, found by trying each', () => {
    const answers = someAnswers(300);
    const values = answers.exits.map(({ score }) => score);
    const rows = allRows(answers);
    const isMarked = Uint8Array.from(rows, (row) => (row % 3 === 0 ? 0 : 1));
    const marked = rows.filter((row) => isMarked[row] === 1);
    const tried = [Infinity, ...values.flatMap((column) => [...column]), -Infinity].map((t) =>
      outcomeOf(answers, marked, aboveThreshold(values, t)),
    );
    const allowed = tried.filter(({ disagreementRatio }) => disagreementRatio <= 0.03);
    const found = outcomeOf(
      answers,
      marked,
      aboveThreshold(values, bestThreshold(sweepOf(answers, values), isMarked, 0.03)),
    );
    expect(found.disagreementRatio).toBeLessThanOrEqual(0.03);
    expect(found.savedRatio).toBeCloseTo(Math.max(...allowed.map((one) => one.savedRatio)), 10);
    expect(found.savedRatio).toBeGreaterThan(0);
  });

  test('lets no row leave where every threshold breaks the budget', () => {
    const answers = answersOf([aHead([{ score: 1, agrees: false }])], [0.2, 1]);
    const rule = thresholdRule('score', answers, [answers.exits[0]?.score ?? []]);
    expect(rule.tune(allRows(answers), 0.01)).toBeNull();
  });

  test('takes rows of equal value together', () => {
    const rows = [
      { score: 1, agrees: true },
      { score: 1, agrees: false },
    ];
    const answers = answersOf([aHead(rows)], [0.2, 1]);
    const rule = thresholdRule('score', answers, [answers.exits[0]?.score ?? []]);
    expect(rule.tune(allRows(answers), 0.4)).toBeNull();
    expect(rule.tune(allRows(answers), 0.5)).not.toBeNull();
  });

  test('sends a row that falls to an earlier head there, wrong though it be', () => {
    const first = aHead([{ score: 1, agrees: false }]);
    const second = aHead([{ score: 2, agrees: true }]);
    const answers = answersOf([first, second], [0.2, 0.6, 1]);
    const values = answers.exits.map(({ score }) => score);
    expect(outcomeOf(answers, allRows(answers), aboveThreshold(values, 1.5)).shares).toEqual([
      0, 1, 0,
    ]);
    expect(bestThreshold(sweepOf(answers, values), Uint8Array.of(1), 0)).toBe(1);
  });
});

describe('a rule that is set', () => {
  const set = (path: readonly number[]): unknown => {
    const answers = answersOf([aHead([{ score: 1, agrees: true }])], path);
    const rule = thresholdRule('score', answers, [answers.exits[0]?.score ?? []]);
    return settle(rule, allRows(answers), 0.01);
  };

  test('is off where what it finds costs more than the backbone alone', () => {
    expect(set([1.01, 1.02])).toBeNull();
    expect(set([0.99, 1.02])).not.toBeNull();
  });

  test('and off changes no accuracy where labels are known, and says nothing where they are not', () => {
    const answers = answersOf([aHead([{ score: 1, agrees: true }])], [0.2, 1]);
    const rows = allRows(answers);
    expect(nothing(answers, rows).accuracyChange).toBe(0);
    expect(nothing({ ...answers, backboneIsRight: null }, rows).accuracyChange).toBeNull();
  });
});

describe('outcomes', () => {
  test('charge every head on the way and count labels beside the backbone', () => {
    const answers = answersOf(
      [
        aHead([
          { score: 1, agrees: true },
          { score: 1, agrees: false },
          { score: -1, agrees: true },
        ]),
      ],
      [0.25, 1.05],
    );
    const outcome = outcomeOf(answers, allRows(answers), (row) => (row < 2 ? 0 : -1));
    expect(outcome.savedRatio).toBeCloseTo(1 - (0.25 + 0.25 + 1.05) / 3, 12);
    expect(outcome.disagreementRatio).toBeCloseTo(1 / 3, 12);
    expect(outcome.accuracyChange).toBeCloseTo(-1 / 3, 12);
    expect(outcome.shares).toEqual([2 / 3, 0, 1 / 3].filter((share) => share > 0));
  });
});

describe('patience', () => {
  const say = (...classes: number[]): HeadAnswers[] =>
    classes.map((one) => aHead([{ score: 0, agrees: true, class: one }]));

  test('leaves where that many heads have repeated the head before', () => {
    const answers = answersOf(say(1, 2, 2, 2), [0.2, 0.4, 0.6, 0.8, 1]);
    expect(afterPatience(answers, 1)(0)).toBe(2);
    expect(afterPatience(answers, 2)(0)).toBe(3);
    expect(afterPatience(answers, 3)(0)).toBe(-1);
  });

  test('begins to count anew at another class, and a single head never repeats', () => {
    expect(afterPatience(answersOf(say(1, 1, 2, 1), [0, 0, 0, 0, 1]), 2)(0)).toBe(-1);
    const one = answersOf(say(1), [0.2, 1]);
    expect(patienceRule('patience', one).tune(allRows(one), 0.5)).toBeNull();
  });
});

describe('the controller of Apparate', () => {
  test('stays within the budget on the rows that it is tuned on, and saves there', () => {
    const answers = someAnswers(2_000);
    const rows = allRows(answers);
    const errors = errorsOf(answers);
    const thresholds = tuneApparate(answers, errors, { rows, budget: 0.02 });
    const outcome = outcomeOf(answers, rows, belowThresholds(errors, thresholds));
    expect(outcome.disagreementRatio).toBeLessThanOrEqual(0.02);
    expect(outcome.savedRatio).toBeGreaterThan(0.05);
  });

  test('keeps every threshold at 0 where any step breaks the budget', () => {
    const wrong = aHead(Array.from({ length: 50 }, () => ({ score: 9, agrees: false })));
    const answers = answersOf([wrong], [0.2, 1]);
    const of = { rows: allRows(answers), budget: 0.01 };
    expect(tuneApparate(answers, errorsOf(answers), of)).toEqual([0]);
  });
});

describe('the certified rule', () => {
  test('proves less than it sees: it leaves room below the budget', () => {
    const answers = someAnswers(4_000);
    const rows = allRows(answers);
    const leaves = certifiedRule('certified', answers).tune(rows, 0.05);
    expect(leaves).not.toBeNull();
    const certified = outcomeOf(answers, rows, leaves ?? (() => -1));
    const values = answers.exits.map(({ score }) => score);
    const raw = thresholdRule('score', answers, values).tune(rows, 0.05) ?? (() => -1);
    expect(certified.disagreementRatio).toBeLessThan(0.05);
    expect(certified.savedRatio).toBeLessThan(outcomeOf(answers, rows, raw).savedRatio);
  });

  test('proves nothing before its first look', () => {
    const answers = someAnswers(900);
    expect(certifiedRule('certified', answers).tune(allRows(answers), 0.01)).toBeNull();
  });
});
