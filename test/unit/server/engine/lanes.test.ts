import { expect, test } from 'vitest';
import { EngineError } from '../../../../server/engine/engine-error.ts';
import { Lanes } from '../../../../server/engine/lanes.ts';

const LONE = 2;

test('two batches that are alone never have the lane of all cores together', async () => {
  const lanes = new Lanes();
  lanes.open(2, true);
  expect(await lanes.acquire(true)).toBe(LONE);
  expect(await lanes.acquire(true)).not.toBe(LONE);
  lanes.release(LONE);
  expect(await lanes.acquire(true)).toBe(LONE);
});

test('who finds no lane free waits in order, and hears when the host is gone', async () => {
  const lanes = new Lanes();
  lanes.open(1);
  expect(await lanes.acquire()).toBe(0);
  const [second, third] = [lanes.acquire(), lanes.acquire()];
  lanes.release(0);
  expect(await second).toBe(0);
  lanes.close(new EngineError('EngineDown', 'the engine host ended'));
  await expect(third).rejects.toThrow('the engine host ended');
});
