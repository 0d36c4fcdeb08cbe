import { expect, test } from 'vitest';
import { meterAccess } from '../../../operator/metered.ts';

test('answers of the API server carry its host', () => {
  const told: unknown[] = [];
  const access = meterAccess(
    {
      server: 'https://10.96.0.1:443/behind',
      requestOptions: () => Promise.resolve({}),
      close: () => undefined,
    },
    { apiAnswered: (...answer) => told.push(answer) },
  );
  access.answered?.('GET', 200);
  expect(told).toEqual([['10.96.0.1', 'GET', 200]]);
});
