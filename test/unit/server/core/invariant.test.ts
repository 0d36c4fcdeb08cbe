import { expect, test } from 'vitest';
import { InvariantError, invariant } from '../../../../server/core/invariant.ts';

test('a broken assumption throws an InvariantError that says what broke', () => {
  expect(() => {
    invariant(false, 'rows 3 of 2');
  }).toThrow(InvariantError);
  expect(() => {
    invariant(false, 'rows 3 of 2');
  }).toThrow('rows 3 of 2');
});

test('a held assumption passes in silence', () => {
  expect(() => {
    invariant(true, 'never seen');
  }).not.toThrow();
});

test('the error names its class in logs', () => {
  expect(new InvariantError('x').name).toBe('InvariantError');
});
