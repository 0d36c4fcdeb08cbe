import { ServingError, shown } from '../../errors.ts';

/** A whole number of the query, or the default when it is not there. */
export function queryCount(value: unknown, field: string, standard: number): number {
  if (value === undefined) return standard;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new ServingError('invalid_parameter', {
    field: `Query parameter ${field}`,
    value: shown(value),
    expected: 'a whole number from 0 up',
  });
}

export function queryChoice<T extends string>(
  value: unknown,
  field: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new ServingError('invalid_parameter', {
    field: `Query parameter ${field}`,
    value: shown(value),
    expected: choices.join(' or '),
  });
}
