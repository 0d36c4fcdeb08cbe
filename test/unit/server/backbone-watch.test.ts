import { expect, test } from 'vitest';
import { createBackboneWatch } from '../../../server/backbone-watch.ts';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function watched(checkBackbone: () => Promise<boolean>) {
  const clock = fakeClock();
  const checked: boolean[] = [];
  let asked = 0;
  const watch = createBackboneWatch({
    clock,
    engine: {
      checkBackbone: () => {
        asked += 1;
        return checkBackbone();
      },
    },
    onChecked: (isRight) => checked.push(isRight),
  });
  return { watch, clock, checked, asked: () => asked };
}

test('the tenth row within a minute that is not finite has the known answer asked for, once', async () => {
  const { watch, clock, checked, asked } = watched(() => Promise.resolve(true));
  watch.onNonFinite(9);
  expect(asked()).toBe(0);
  clock.advance(59_000);
  watch.onNonFinite(1);
  expect(asked()).toBe(1);
  watch.onNonFinite(1);
  await Promise.resolve();
  expect([asked(), checked]).toEqual([1, [true]]);
});

test('nine in a minute and more later ask nothing', () => {
  const { watch, clock, asked } = watched(() => Promise.resolve(true));
  for (let minute = 0; minute < 5; minute += 1) {
    watch.onNonFinite(9);
    clock.advance(60_001);
  }
  expect(asked()).toBe(0);
});

test('a client that sends such rows without end has it asked for once a second, and rows in between count for the next time', () => {
  const { watch, clock, asked } = watched(() => Promise.resolve(true));
  for (let i = 0; i < 100; i += 1) {
    watch.onNonFinite(10);
    clock.advance(100);
  }
  expect(asked()).toBe(10);
});

test('a host that is gone cannot say, and nothing is told', async () => {
  const gone = new EngineError('EngineDown', 'the engine host is gone');
  const { watch, checked } = watched(() => Promise.reject(gone));
  watch.onNonFinite(10);
  await Promise.resolve();
  await Promise.resolve();
  expect(checked).toEqual([]);
});
