import { expect, test } from 'vitest';
import { turnOrder } from '../../../bench/peers/turn-order.ts';

const ROUNDS = [0, 1, 2, 3, 4, 5];

test.each(ROUNDS)('everybody has one turn in round %d', (round) => {
  expect(turnOrder(7, round).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('two rounds in a row run in opposite directions: a steady drift meets all alike', () => {
  for (const round of [0, 2, 4]) {
    expect(turnOrder(7, round + 1)).toEqual(turnOrder(7, round).reverse());
  }
});

test('the third round begins with another one', () => {
  expect(turnOrder(7, 2)[0]).not.toBe(turnOrder(7, 0)[0]);
});

test('one alone has all turns', () => {
  expect(ROUNDS.map((round) => turnOrder(1, round))).toEqual(ROUNDS.map(() => [0]));
});
