import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../../../operator/clock.ts';
import { createRunTally } from '../../../../../operator/local/report/run-tally.ts';
import { createRunScreen } from '../../../../../operator/local/view/run-screen.ts';
import { createLineView, createTerminalView } from '../../../../../operator/local/view/run-view.ts';
import { renderScreen } from '../../../../../operator/local/view/screen.ts';
import type { ScreenModel } from '../../../../../operator/local/view/screen-model.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';

const model: ScreenModel = {
  title: 'layercache 0.1.0  example  engine onnx (cpu, 2 threads)  budget 1% at 95%  seed 1',
  addresses:
    'predict http://127.0.0.1:8080/v2/models/example/infer  metrics http://127.0.0.1:9090/metrics',
  stages: [
    {
      name: 'Load',
      status: 'Done',
      rows: 0,
      wantedRows: null,
      seconds: 2.1,
      leftSeconds: null,
      message: '9 cut points, 4 exits kept',
    },
    {
      name: 'Collect',
      status: 'Running',
      rows: 7_140,
      wantedRows: 10_000,
      seconds: 30,
      leftSeconds: 13.5,
      message: '',
    },
    {
      name: 'Train',
      status: 'Running',
      rows: 0,
      wantedRows: null,
      seconds: 4,
      leftSeconds: null,
      message: 'exit 2 of 4',
    },
    {
      name: 'Certify',
      status: 'Waiting',
      rows: 0,
      wantedRows: null,
      seconds: 0,
      leftSeconds: null,
      message: '',
    },
  ],
  rowsPerSecond: 212,
  exits: [
    {
      name: 'block2',
      rowsPerSecond: 88,
      shareRatio: 0.415,
      audits: 512,
      disagreements: 3,
      p50Ms: 3.1,
      p99Ms: 6,
      savedRatio: 0.62,
    },
    {
      name: 'backbone',
      rowsPerSecond: 73,
      shareRatio: 0.344,
      audits: 0,
      disagreements: 0,
      p50Ms: 9,
      p99Ms: 114.2,
      savedRatio: null,
    },
  ],
  audits: 1_000,
  disagreements: 4,
  upperRatio: 0.0071,
  agreement: 'Strict',
  budgetRatio: 0.01,
  netTimeSavedRatio: 0.31,
  errors: 2,
  statements: [],
  drills: [],
  news: 'RolloutStarted: the candidate takes 25% of the traffic.',
};

function fakeClock(): Clock & { advance(ms: number): void } {
  let nowMs = 0;
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, advance: (ms) => (nowMs += ms) };
}

function output() {
  const written: string[] = [];
  return { written, write: (text: string) => void written.push(text), columns: 60 };
}

test('the screen has stages, exits and totals', () => {
  expect(renderScreen(model).join('\n')).toMatchInlineSnapshot(`
    "layercache 0.1.0  example  engine onnx (cpu, 2 threads)  budget 1% at 95%  seed 1
    predict http://127.0.0.1:8080/v2/models/example/infer  metrics http://127.0.0.1:9090/metrics
     1 Load    done 2.1 s  9 cut points, 4 exits kept
     2 Collect [##############------] 7,140/10,000 rows  212 rows/s  13.5 s left
     3 Train   4.0 s  exit 2 of 4
     4 Certify -
    exit      rows/s  share  agree (audited)  p50 ms  p99 ms  saved/row
    block2        88  41.5%  99.4% (n 512)       3.1     6.0        62%
    backbone      73  34.4%  -                   9.0     114          -
    all 212 rows/s  disagree 0.40% (upper 0.71%) of 1%  net time saved 31%  errors 2
    RolloutStarted: the candidate takes 25% of the traffic."
  `);
});

test('below the totals stand what drills did and the known limits that the run meets', () => {
  const statements = [{ reason: 'StreamRepeats', message: 'It repeats.', nextStep: 'Bring more.' }];
  const lines = renderScreen({ ...model, statements, drills: ['--kill host@9: It was killed.'] });
  expect(lines.slice(-3)).toEqual([
    '--kill host@9: It was killed.',
    'StreamRepeats: It repeats. Bring more.',
    model.news,
  ]);
});

describe('a terminal', () => {
  test('is redrawn at most four times a second, over the lines before', () => {
    const [out, clock] = [output(), fakeClock()];
    const view = createTerminalView(out, clock);
    view.update(model);
    view.update(model);
    clock.advance(250);
    view.update(model);
    expect(out.written).toHaveLength(2);
    expect(out.written[1]?.startsWith(`\x1b[${renderScreen(model).length}F\x1b[0J`)).toBe(true);
  });

  test('shows no line wider than itself', () => {
    const out = output();
    createTerminalView(out, fakeClock()).update(model);
    expect(
      Math.max(...(out.written[0] ?? '').split('\n').map(({ length }) => length)),
    ).toBeLessThan(60);
  });

  test('keeps a note above the screen', () => {
    const out = output();
    const view = createTerminalView(out, fakeClock());
    view.update(model);
    view.note('warning: a window is dropped');
    expect(out.written[1]).toContain('warning: a window is dropped\n');
    expect(out.written[2]).toContain(model.title.slice(0, 40));
    view.end();
  });
});

test('a log has its title once, then a line per change of stage and per ten seconds', () => {
  const [out, clock] = [output(), fakeClock()];
  const view = createLineView(out, clock);
  view.update(model);
  view.update(model);
  clock.advance(10_000);
  view.update(model);
  view.note('done');
  view.update({ ...model, stages: model.stages.slice(2) });
  view.update({ ...model, stages: [] });
  view.end();
  expect(out.written).toEqual([
    `${model.title}\n${model.addresses}\n`,
    'Collect [##############------] 7,140/10,000 rows  212 rows/s  13.5 s left\n',
    'Collect [##############------] 7,140/10,000 rows  212 rows/s  13.5 s left\n',
    'done\n',
    'Train   4.0 s  exit 2 of 4\n',
  ]);
});

test('progress becomes stages with the time each took, and answers become exits', () => {
  const tally = createRunTally(null);
  const source = memorySource(
    { name: 'r', rowShape: [1], element: 'u1', labels: null },
    Buffer.alloc(1),
  );
  const screen = createRunScreen({
    title: 't',
    addresses: 'a',
    tally,
    exitNames: ['block1', 'block2'],
    budget: 0.01,
    agreement: 'Strict',
    confidence: 0.95,
    savedRatio: () => 0.5,
    statements: () => [],
    drills: () => [],
  });
  screen.loaded(2, '9 cut points');
  screen.progress(
    { stage: 'Collecting', rows: 5, wantedRows: 10, lambdaIndex: null, message: '' },
    1_000,
  );
  screen.progress(
    { stage: 'Training', rows: 0, wantedRows: null, lambdaIndex: null, message: 'half done' },
    4_000,
  );
  screen.decided('TrainingStarted: x');
  const answer = { exit: 'block2', policy: '1.1', headRevision: 'r', classIds: [1] };
  tally.addAnswer(
    { source, index: 0, part: 'Serving', isRepeated: false, isDrifted: false, clip: null },
    answer,
    3,
  );
  const shown = screen.model(5_000);
  expect(
    shown.stages.map(({ name, status, seconds, message }) => [name, status, seconds, message]),
  ).toEqual([
    ['Load', 'Done', 2, '9 cut points'],
    ['Collect', 'Done', 3, ''],
    ['Train', 'Running', 1, 'half done'],
    ['Certify', 'Waiting', 0, ''],
    ['Ramp', 'Waiting', 0, ''],
    ['Serve', 'Waiting', 0, ''],
  ]);
  expect(shown.exits.map(({ name, shareRatio }) => [name, shareRatio])).toEqual([
    ['block2', 1],
    ['backbone', 0],
  ]);
  expect(shown.news).toBe('TrainingStarted: x');
});
