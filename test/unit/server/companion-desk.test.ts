import { expect, test } from 'vitest';
import { createCompanionDesk, type DeskOptions } from '../../../server/companion-desk.ts';
import type { CompanionSetting } from '../../../server/companions.ts';
import type { CompanionLostListener } from '../../../server/engine/engine-client.ts';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { eventually } from '../../support/eventually.ts';

const TIMES = { firstMs: 1, mostOnTheWayMs: 4, mostMs: 4, startMs: 10_000 };

function aSetting(name: string): CompanionSetting {
  const uri = { kind: 'file', path: `/${name}.onnx` } as const;
  return { name, uri, digest: null, format: null, outputName: null };
}

const loaded = (name: string) => ({
  ...{ digest: `sha256:${name}`, format: 'ONNX', sizeBytes: 10 },
  ...{ macs: name.length, msShare: 0.1 },
});

interface Scripted {
  /** What each further attempt gives; the last one for ever. */
  readonly attempts: readonly (Error | null)[];
}

function aDesk(scripts: Readonly<Record<string, Scripted>>, more: Partial<DeskOptions> = {}) {
  const tried: string[] = [];
  const failures: string[] = [];
  const listeners: CompanionLostListener[] = [];
  const desk = createCompanionDesk({
    settings: Object.keys(scripts).map(aSetting),
    engine: {
      status: 'Up',
      onCompanionLost: (listener) => {
        listeners.push(listener);
      },
      openCompanion: ({ name }) => {
        const { attempts } = scripts[name]!;
        const nth = tried.filter((one) => one === name).length;
        tried.push(name);
        const error = attempts[Math.min(nth, attempts.length - 1)] ?? null;
        return error === null ? Promise.resolve(loaded(name)) : Promise.reject(error);
      },
    },
    obtain: ({ name }) =>
      Promise.resolve({ path: `/${name}.onnx`, outputName: null, digest: null }),
    onFailure: ({ message }) => failures.push(message),
    random: () => 0.5,
    times: TIMES,
    ...more,
  });
  const lose = (name: string): void => {
    for (const listener of listeners) listener(name, new EngineError('EngineFailed', 'not there'));
  };
  return { desk, tried, failures, lose };
}

test('companions that load are told of with their names, the cheapest first', async () => {
  const { desk } = aDesk({ larger: { attempts: [null] }, few: { attempts: [null] } });
  await desk.start();
  expect(desk.models().map(({ name, digest }) => [name, digest])).toEqual([
    ['few', 'sha256:few'],
    ['larger', 'sha256:larger'],
  ]);
  expect(desk.reports()).toEqual([]);
  desk.close();
});

test('one that fails is reported, tried again, and told of when it comes', async () => {
  const gone = new Error('exits[small].model is not there');
  const { desk, failures } = aDesk({ small: { attempts: [gone, gone, null] } });
  const late: string[] = [];
  desk.onLate(({ name }) => late.push(name));
  const started = desk.start();
  await started;
  await eventually(() => {
    expect(late).toEqual(['small']);
  });
  expect(failures).toEqual([gone.message, gone.message]);
  expect(desk.reports()).toEqual([]);
  desk.close();
});

test('while it fails its exit has a reason, and others run', async () => {
  const { desk } = aDesk({
    bad: { attempts: [new Error('no such file')] },
    good: { attempts: [null] },
  });
  await desk.start();
  expect(desk.reports()).toEqual([
    { name: 'bad', code: 'CompanionLoadFailed', message: 'no such file' },
  ]);
  expect(desk.models().map(({ name }) => name)).toEqual(['good']);
  desk.close();
});

test('one whose load ends the engine host twice is left alone', async () => {
  const death = new EngineError('EngineDown', 'the engine host is gone');
  const { desk, tried } = aDesk({ small: { attempts: [death] } });
  await desk.start();
  await eventually(() => {
    expect(tried).toHaveLength(2);
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(tried).toHaveLength(2);
  expect(desk.reports()[0]!.message).toContain('twice while it was loaded');
  desk.close();
});

test('they are loaded one after the other: a death blames the one that was loading alone', async () => {
  const loading: string[] = [];
  let most = 0;
  const openCompanion: DeskOptions['engine']['openCompanion'] = async ({ name }) => {
    loading.push(name);
    most = Math.max(most, loading.length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    loading.pop();
    return loaded(name);
  };
  const scripts = { one: { attempts: [null] }, other: { attempts: [null] } };
  const { desk } = aDesk(scripts, {
    engine: { status: 'Up', openCompanion, onCompanionLost: () => undefined },
  });
  await desk.start();
  expect([desk.models().length, most]).toEqual([2, 1]);
  desk.close();
});

test('the start waits for a slow one only so long, and after the end nothing is tried', async () => {
  const { desk, tried } = aDesk(
    { small: { attempts: [null] } },
    {
      obtain: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('ended'));
          });
        }),
      times: { ...TIMES, startMs: 1 },
    },
  );
  await desk.start();
  expect([desk.models(), desk.reports()]).toEqual([[], []]);
  desk.close();
  await eventually(() => {
    expect(desk.reports().map(({ message }) => message)).toEqual(['ended']);
  });
  expect(tried).toEqual([]);
});

test('one that no longer loads after a restart of the host is off until it loads again', async () => {
  const gone = new EngineError('ModelUnreadable', 'exits[small].model cannot be read');
  const { desk, lose, tried } = aDesk({ small: { attempts: [null, gone, null] } });
  const late: string[] = [];
  desk.onLate(({ name }) => late.push(name));
  await desk.start();
  lose('small');
  expect(desk.models()).toEqual([]);
  expect(desk.reports()).toEqual([
    {
      ...{ name: 'small', code: 'CompanionLoadFailed' },
      message: 'no longer loads since the engine host was restarted: not there',
    },
  ]);
  await eventually(() => {
    expect(late).toEqual(['small']);
  });
  expect([desk.models().length, desk.reports(), tried.length]).toEqual([1, [], 3]);
  desk.close();
  lose('small');
  lose('another');
  expect(desk.models()).toHaveLength(1);
});

test('a loss told twice starts one way back, and one of a model that never ran none', async () => {
  const { desk, lose, tried } = aDesk({ small: { attempts: [null] } });
  await desk.start();
  lose('small');
  lose('small');
  await eventually(() => {
    expect(desk.models()).toHaveLength(1);
  });
  expect(tried).toHaveLength(2);
  desk.close();
});

test('a model that cannot run here is asked for again less and less often', async () => {
  const misfit = new EngineError('CompanionMismatch', 'exits[small].model has 4 classes');
  const waits: number[] = [];
  const { desk } = aDesk(
    { small: { attempts: [misfit] } },
    {
      onFailure: (_, retryMs) => waits.push(retryMs),
      times: { firstMs: 1, mostOnTheWayMs: 1, mostMs: 8, startMs: 10_000 },
    },
  );
  await desk.start();
  await eventually(() => {
    expect(waits.length).toBeGreaterThanOrEqual(5);
  });
  expect(waits.slice(0, 5)).toEqual([0.75, 1.5, 3, 6, 6]);
  desk.close();
});
