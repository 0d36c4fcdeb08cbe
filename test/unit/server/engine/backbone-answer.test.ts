import { expect, test } from 'vitest';
import { isSameAnswer } from '../../../../server/engine/backbone-answer.ts';

const answer = (...outputs: number[][]) => outputs.map((values) => Float32Array.from(values));

test.each([
  ['the same numbers', answer([1, -2], [3]), answer([1, -2], [3]), true],
  ['numbers that differ by rounding', answer([1, 1000]), answer([1.0005, 1000.5]), true],
  ['a number that is another', answer([1, 2]), answer([1, 2.1]), false],
  ['no number where there was one', answer([1, 2]), answer([1, NaN]), false],
  ['no number where there was none', answer([1, NaN]), answer([1, NaN]), true],
  ['a number where there was none', answer([NaN]), answer([0]), false],
  ['the other infinity', answer([Infinity]), answer([-Infinity]), false],
  ['the same infinity', answer([-Infinity]), answer([-Infinity]), true],
  ['fewer numbers', answer([1, 2]), answer([1]), false],
  ['an output less', answer([1], [2]), answer([1]), false],
])('%s', (_, expected, given, isSame) => {
  expect(isSameAnswer(expected, given)).toBe(isSame);
});
