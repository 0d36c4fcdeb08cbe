import { expect, test } from 'vitest';
import { createCompanionDesk, type DeskOptions } from '../../../server/companion-desk.ts';
import type { CompanionSetting } from '../../../server/companions.ts';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { eventually } from '../../support/eventually.ts';

const TIMES = { firstMs: 1, mostMs: 4, startMs: 10_000 };

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
  const desk = createCompanionDesk({
    settings: Object.keys(scripts).map(aSetting),
    engine: {
      status: 'Up',
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
  return { desk, tried, failures };
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
  const { desk } = aDesk(scripts, { engine: { status: 'Up', openCompanion } });
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
