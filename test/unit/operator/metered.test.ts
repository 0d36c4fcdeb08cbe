import { expect, test } from 'vitest';
import type { Result } from '../../../crds/wire/result.ts';
import type { AdminAnswer } from '../../../operator/fleet/admin-client.ts';
import type { PodConnections } from '../../../operator/fleet/pod-connections.ts';
import { meterAccess, meterConnections } from '../../../operator/metered.ts';

const POD = { uid: 'u', name: 'vision-0', ip: '10.0.0.9', adminGeneration: 1 };

function connectionsTo(answer: Result<AdminAnswer>): PodConnections {
  return {
    open: () => ({
      baseUrl: 'https://10.0.0.9:8081',
      call: () => Promise.resolve(answer),
      close: () => undefined,
    }),
  };
}

test.each([
  ['ok', { ok: true, value: { status: 200, body: Buffer.alloc(0) } }],
  ['refused', { ok: true, value: { status: 503, body: Buffer.alloc(0) } }],
  ['no_answer', { ok: false, code: 'NoAnswer', message: 'no answer within 2000 ms' }],
] as const)(
  'a pull of evidence counts as %s with its time, other calls do not',
  async (result, answer) => {
    const pulls: unknown[] = [];
    let nowMs = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => (nowMs += 250) };
    const evidencePulled = (...pull: unknown[]): void => {
      pulls.push(pull);
    };
    const client = meterConnections(connectionsTo(answer), { evidencePulled }, clock).open(
      's',
      POD,
    );
    expect(await client.call({ method: 'GET', path: '/v1/evidence?after=3' })).toBe(answer);
    await client.call({ method: 'GET', path: '/v1/state' });
    await client.call({ method: 'PUT', path: '/v1/policy', body: '{}' });
    expect(pulls).toEqual([[result, 0.25]]);
  },
);

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
