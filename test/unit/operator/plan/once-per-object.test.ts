import { expect, test } from 'vitest';
import { oncePerObject } from '../../../../operator/plan/once-per-object.ts';

test('an object is read once, another like it by itself, and what is nothing counts as read', () => {
  const asked: unknown[] = [];
  const read = oncePerObject((object: { readonly a: number }) => {
    asked.push(object);
    return object.a === 0 ? undefined : { twice: 2 * object.a };
  });
  const first = { a: 1 };
  const other = { a: 1 };
  const none = { a: 0 };
  expect([read(first), read(other), read(none)]).toEqual([{ twice: 2 }, { twice: 2 }, undefined]);
  expect(read(first)).toBe(read(first));
  expect(read(first)).not.toBe(read(other));
  expect(read(none)).toBeUndefined();
  expect(asked).toEqual([first, other, none]);
});
