import { expect, onTestFinished, test } from 'vitest';
import { createMetricRegistry } from '../../../operator/metrics.ts';
import { createOperatorMetrics } from '../../../operator/operator-metrics.ts';
import { parseMetricPage } from '../../support/metric-page.ts';
import { createLoop } from './loop-world.ts';

/** Series of the state of the only service, by the label; empty: it has none. */
async function stateOf(spec: Readonly<Record<string, unknown>>): Promise<Map<string, number>> {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  const metrics = createOperatorMetrics(createMetricRegistry(), {
    ...{ version: '0.1.0', nodeVersion: '20.20.0', clock },
  });
  const loop = await createLoop({ metrics, spec });
  onTestFinished(() => {
    loop.world.close();
  });
  await loop.pass(60_000);
  const { series } = parseMetricPage((await metrics.render()).text);
  const states = [...series].flatMap(([key, value]) => {
    const [, state] = /^layercache_service_state\{.*state="(\w+)"/.exec(key) ?? [];
    return state === undefined ? [] : [[state, value] as const];
  });
  return new Map(states);
}

test('a service that collects rows for its first heads shows this state to boards', async () => {
  const states = await stateOf({});
  expect(states.get('collecting')).toBe(1);
  expect([...states.values()].reduce((sum, value) => sum + value, 0)).toBe(1);
});

test('a service that may not train shows no state that it is not in', async () => {
  expect(await stateOf({ heads: { training: { mode: 'Off' } } })).toEqual(new Map());
});
