import { expect, test } from 'vitest';
import { measureOf } from '../../../../crds/wire/measure.ts';

/** Every word of a measure, as it is read. */
function wordsOf(agreement: 'Strict' | 'F1'): string {
  const { promise, ofRows, ...words } = measureOf({ agreement });
  return JSON.stringify([words, promise('1%'), ofRows('3')]);
}

test('where the budget bounds F1 loss no word is of answers that agree or disagree', () => {
  expect(wordsOf('F1')).not.toMatch(/agree|differ|unlike/i);
  expect(wordsOf('Strict')).not.toMatch(/F1|lost|lose/);
  expect(measureOf({ agreement: 'F1' }).promise('1%')).toBe(
    'Over all rows the boxes may lose at most 1% of F1 against the backbone’s.',
  );
});

test('what names no agreement is of the one there was first', () => {
  expect(measureOf({})).toBe(measureOf({ agreement: 'Strict' }));
});

test('parts of rows are told to tenths', () => {
  expect(measureOf({ agreement: 'F1' }).format).toBe('tenths');
  expect(measureOf({}).format).toBe('grouped');
});
