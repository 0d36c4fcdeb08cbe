import { beforeEach, describe, expect, test } from 'vitest';
import type { LoadFailure } from '../../../../crds/wire/loading-state.ts';
import {
  createBackboneEngine,
  type BackboneEngineOptions,
} from '../../../../server/backbone/backbone-engine.ts';
import { LoadError, toLoadFailure } from '../../../../server/backbone/load-error.ts';
import { createLoadProgress } from '../../../../server/backbone/load-progress.ts';
import { EngineError, type EngineErrorCode } from '../../../../server/engine/engine-error.ts';
import { eventually } from '../../../support/eventually.ts';
import { createFakeEngine, fakeReport, type FakeEngine } from '../../../support/fake-engine.ts';

const missing = new LoadError('BackboneFetchFailed', 'it answers 404.');

let failures: { failure: LoadFailure; retryMs: number }[];
let engines: FakeEngine[];
let obtained: (Error | string)[];
const progress = createLoadProgress();

beforeEach(() => {
  failures = [];
  engines = [];
  obtained = [];
});

function create(more: Partial<BackboneEngineOptions> = {}) {
  return createBackboneEngine({
    isPatient: true,
    progress,
    random: () => 0.5,
    retry: { firstMs: 1, mostOnTheWayMs: 8, mostMs: 16 },
    obtain: () => {
      const next = obtained.shift() ?? '/model.onnx';
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    createEngine: () => {
      const engine = createFakeEngine();
      engines.push(engine);
      return engine;
    },
    onFailure: (failure, retryMs) => failures.push({ failure, retryMs }),
    ...more,
  });
}

describe('in a pod', () => {
  test('a backbone that cannot be fetched is tried again, ever less often, until it comes', async () => {
    obtained = Array.from({ length: 6 }, () => missing);
    const engine = create();
    expect(await engine.start()).toEqual(fakeReport());
    expect(failures.map(({ retryMs }) => retryMs)).toEqual([0.75, 1.5, 3, 6, 6, 6]);
    expect(failures[0]?.failure).toEqual({
      code: 'BackboneFetchFailed',
      message: 'it answers 404.',
    });
    expect(progress.now).toMatchObject({ step: 'Loading', failedAttempts: 6 });
    expect(engine.status).toBe('Up');
  });

  test('a file that is wrong waits longer than trouble on the way, and each attempt has a fresh engine', async () => {
    const wrong = new EngineError('UnsupportedModel', 'it has two inputs; export it with one');
    const engine = create({
      createEngine: () => {
        const one = createFakeEngine();
        if (engines.length < 6) one.startError = wrong;
        engines.push(one);
        return one;
      },
    });
    await engine.start();
    expect(engines).toHaveLength(7);
    expect(failures.at(-1)).toEqual({
      failure: { code: 'BackboneLoadFailed', message: wrong.message },
      retryMs: 12,
    });
  });

  test('what listens hears of the engine that was loaded, and of no attempt before', async () => {
    const heard: string[] = [];
    const engine = create({
      createEngine: () => {
        const one = createFakeEngine();
        if (engines.length === 0) one.startError = new EngineError('EngineDown', 'it ended');
        engines.push(one);
        return one;
      },
    });
    engine.onStatus((status) => heard.push(status));
    await engine.start();
    expect(heard).toEqual(['Up']);
    engines[1]!.kill();
    await eventually(() => {
      expect(heard).toEqual(['Up', 'Down', 'Up']);
    });
  });

  test('calls before the backbone is there are refused, and nothing is claimed', async () => {
    const engine = create();
    expect(engine.status).toBe('Starting');
    expect(engine.slots).toBe(1);
    expect(engine.memory()).toEqual({ rssBytes: 0, activations: 0, plans: 0 });
    expect(() => engine.prepare({ tracks: [], samples: [] })).toThrow(EngineError);
    await engine.close();
  });

  test('closing ends a fetch, a wait and a start at once', async () => {
    const fetching = create({
      obtain: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('ended'));
          });
        }),
    });
    const waiting = create({
      obtain: () => Promise.reject(missing),
      retry: { firstMs: 60_000, mostOnTheWayMs: 60_000, mostMs: 60_000 },
    });
    for (const engine of [fetching, waiting]) {
      const started = engine.start();
      await engine.close();
      await expect(started).rejects.toThrow();
      expect(engine.status).toBe('Closed');
    }
  });
});

test('outside a pod the first failure is thrown', async () => {
  obtained = [missing];
  await expect(create({ isPatient: false }).start()).rejects.toBe(missing);
  expect(failures).toEqual([]);
});

describe('every failure of an engine has a code that the operator knows', () => {
  test.each<[EngineErrorCode, LoadFailure['code']]>([
    ['ModelMissing', 'BackboneFetchFailed'],
    ['DigestMismatch', 'BackboneDigestMismatch'],
    ['ModelUnreadable', 'BackboneLoadFailed'],
    ['UnsupportedModel', 'BackboneLoadFailed'],
    ['ModelNotesInvalid', 'BackboneLoadFailed'],
    ['NoClassOutput', 'BackboneLoadFailed'],
    ['OutputNotFound', 'BackboneLoadFailed'],
    ['EngineUnavailable', 'EngineUnavailable'],
    ['EngineFailed', 'BackboneLoadFailed'],
    ['EngineDown', 'EngineUnavailable'],
  ])('%s is %s', (code, expected) => {
    expect(toLoadFailure(new EngineError(code, 'why'))).toEqual({ code: expected, message: 'why' });
  });

  test('anything else is a load that failed, and its message is bounded', () => {
    expect(toLoadFailure('x'.repeat(5_000))).toEqual({
      code: 'BackboneLoadFailed',
      message: 'x'.repeat(1024),
    });
  });
});
