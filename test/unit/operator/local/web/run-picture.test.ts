import { describe, expect, test } from 'vitest';
import { LAMBDAS } from '../../../../../crds/wire/lambda-grid.ts';
import {
  pageEventSchema,
  type Picture,
} from '../../../../../operator/local/page/state/page-state.ts';
import { createRunTally } from '../../../../../operator/local/report/run-tally.ts';
import type { RunContext } from '../../../../../operator/local/run-context.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';
import {
  createRunPicture,
  type RunPicture,
} from '../../../../../operator/local/web/run-picture.ts';
import type { LifecycleStage } from '../../../../../operator/lifecycle/types.ts';
import { expectClose } from '../../../../support/expect-close.ts';
import {
  aBundle,
  aCandidate,
  aHead,
  aPolicy,
  aState,
  aTrack,
  aWindow,
  DIGEST_B,
} from '../../../crds/documents.ts';

const rows = memorySource(
  { name: 'rows', rowShape: [1], element: 'u1', labels: null },
  Buffer.from([0]),
);

function aRun() {
  let nowMs = 10_000;
  const tally = createRunTally(null);
  const latencies = { backboneMs: [] as number[], layercacheMs: [] as number[] };
  const context = {
    options: { traffic: 'npy:rows.npy', seed: 3 },
    settings: { model: 'vision', budget: 0.01, confidence: 0.95, agreement: 'Strict' },
    backbone: { path: '/models/vision.onnx' },
    service: { spec: { heads: { training: { student: 'Off' } } } },
    exits: [
      { name: 'early', tensor: 'block2/out', mode: 'Active', macsShare: 0.3, msShare: 0.35 },
      { name: 'late', tensor: 'block4/out', mode: 'Active', macsShare: 0.6, msShare: 0.7 },
    ],
    servers: [],
    state: aState(),
    startedMs: 10_000,
  } as unknown as RunContext;
  const picture = createRunPicture({
    context,
    tally,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    about: {
      statements: () => [
        { reason: 'StreamRepeats', message: 'It repeats.', nextStep: 'Bring more.' },
      ],
      drills: () => ['--kill host@5: nothing yet.'],
    },
    states: () => [aState()],
    latencies: () => latencies,
    bundles: () =>
      new Map([
        [
          DIGEST_B,
          aBundle({
            heads: [aHead({ exit: 'early', tensor: 'block2/out', featureCount: 32, hidden: 0 })],
            classCount: 10,
          }),
        ],
      ]),
  });
  return {
    tally,
    latencies,
    picture,
    at: (seconds: number) => {
      nowMs = 10_000 + 1_000 * seconds;
    },
    answer: (exit: string, count: number, ms: number) => {
      for (let i = 0; i < count; i++) {
        tally.addAnswer(
          {
            source: rows,
            index: 0,
            part: 'Serving',
            isRepeated: false,
            isDrifted: false,
            clip: null,
          },
          { exit, policy: '3.17', headRevision: DIGEST_B, classIds: [0] },
          ms,
        );
      }
    },
    enter: (stage: LifecycleStage) => {
      picture.progress({ stage, rows: 5, wantedRows: 10, lambdaIndex: null, message: 'More.' });
    },
  };
}

function read(picture: RunPicture): Picture {
  const now = picture.read().picture;
  expect(pageEventSchema.parse({ ...now, point: null })).toEqual({ ...now, point: null });
  return now;
}

describe('the picture of a run', () => {
  test('before the first policy: everything off, nothing certified, and no figure made up', () => {
    const { picture } = aRun();
    expect(read(picture)).toMatchObject({
      status: 'Running',
      exitsAre: { on: false, why: 'Nothing is certified yet.' },
      certificate: null,
      curve: null,
      latency: { plain: null, layercache: null, backboneP50: null },
      saved: { timeRatio: null, latencyRatio: null },
      run: { service: 'vision', seed: 3, budgetRatio: 0.01, predictUrl: null },
      statements: [{ reason: 'StreamRepeats' }],
      drills: ['--kill host@5: nothing yet.'],
    });
  });

  test('counts rows by exit in the order of the backbone', () => {
    const run = aRun();
    run.answer('backbone', 6, 8);
    run.answer('late', 4, 2);
    const { exits, totals } = read(run.picture);
    expect(exits.map(({ name, rows: count, share }) => [name, count, share])).toEqual([
      ['early', 0, 0],
      ['late', 4, 0.4],
      ['backbone', 6, 0.6],
    ]);
    expect([totals.requests, totals.early]).toEqual([10, 4]);
    expect(run.picture.read().totals.exitRows).toEqual([0, 4, 6]);
  });

  test('the line of the backbone stays what it was before exits answered', () => {
    const run = aRun();
    run.answer('backbone', 50, 8);
    run.picture.setPolicy(aPolicy({ exitsEnabled: false, stable: null, candidate: null }));
    expectClose(read(run.picture).latency.backboneP50 ?? NaN, 8, { rel: 0.011 });
    run.picture.setPolicy(aPolicy({ stable: aTrack(), candidate: null }));
    run.answer('early', 500, 1);
    expectClose(read(run.picture).latency.backboneP50 ?? NaN, 8, { rel: 0.011 });
  });

  test('with certified heads: their certificate, evidence, savings, and who is on', () => {
    const run = aRun();
    const activeExits = ['early'];
    run.picture.setPolicy(aPolicy({ stable: aTrack({ activeExits }), candidate: null }));
    run.picture.addWindow(aWindow());
    const { certificate, curve, exits, exitsAre } = read(run.picture);
    expect(certificate).toEqual({
      headRevision: DIGEST_B,
      lambda: LAMBDAS[68],
      n: 3_012,
      disagreements: 12,
      look: 2,
    });
    expect(curve?.n).toBe(60);
    expect(exitsAre).toEqual({ on: true, why: '100% of the traffic may leave early.' });
    expect(exits.map(({ isOn }) => isOn)).toEqual([true, false, true]);
    expect(exits[0]?.savedMs).toBeGreaterThan(1);
    expect(exits[0]?.doubt?.all).toHaveLength(16);
  });

  test('a ramp is in the timeline by its shares', () => {
    const run = aRun();
    run.at(1);
    run.enter('Collecting');
    run.at(4);
    run.picture.setPolicy(aPolicy({ stable: null, candidate: aCandidate({ share: 0.25 }) }));
    run.enter('Ramping');
    run.at(6);
    run.picture.setPolicy(aPolicy({ stable: null, candidate: aCandidate({ share: 1 }) }));
    run.at(8);
    const { timeline, exitsAre } = read(run.picture);
    expect(timeline.map(({ stage, share, startSeconds }) => [stage, share, startSeconds])).toEqual([
      ['Load', null, 0],
      ['Collect', null, 1],
      ['Ramp', 0.25, 4],
      ['Ramp', 1, 6],
    ]);
    expect(exitsAre.why).toBe('100% of the traffic may leave early.');
  });

  test('after an alarm: off, with its reason, and evidence from before it is gone', () => {
    const run = aRun();
    run.picture.setPolicy(aPolicy({ stable: aTrack(), candidate: null }));
    run.picture.addWindow(aWindow());
    run.at(20);
    run.picture.decided({
      nowMs: 30_000,
      reason: 'Alarm',
      message: 'Disagreement is above 1%.',
      headRevision: DIGEST_B,
      details: {},
    });
    run.picture.setPolicy(aPolicy({ exitsEnabled: false, stable: aTrack(), candidate: null }));
    const { exitsAre, curve, decisions, exits } = read(run.picture);
    expect(exitsAre).toEqual({ on: false, why: 'Disagreement is above 1%.' });
    expect(curve).toBeNull();
    expect(decisions).toEqual([
      {
        atSeconds: 20,
        reason: 'Alarm',
        tone: 'Alarm',
        meaning: 'Audited answers are over the budget; exits are off.',
        message: 'Disagreement is above 1%.',
        headRevision: DIGEST_B,
      },
    ]);
    expect(exits.map(({ isOn }) => isOn)).toEqual([false, false, true]);
  });

  test('keeps the last 200 decisions and the last 20 warnings', () => {
    const { picture } = aRun();
    for (let i = 0; i < 250; i++) {
      picture.decided({
        nowMs: 10_000,
        reason: 'Certified',
        message: `decision ${i}`,
        headRevision: null,
        details: {},
      });
      picture.warned(`warning ${i}`);
    }
    const { decisions, warnings } = read(picture);
    expect([decisions.length, decisions[0]?.message]).toEqual([200, 'decision 50']);
    expect([warnings.length, warnings[19]?.message]).toEqual([20, 'warning 249']);
  });

  test('latencies of the slices give what the mean saves', () => {
    const run = aRun();
    run.latencies.backboneMs.push(4, 4);
    run.latencies.layercacheMs.push(1, 2);
    const { latency, saved } = read(run.picture);
    expect(latency.plain).toEqual({ n: 2, mean: 4, p50: 4, p95: 4, p99: 4 });
    expect(saved.latencyRatio).toBe(1 - 1.5 / 4);
  });

  test('while answers are compared the page says how far', () => {
    const run = aRun();
    run.picture.comparing(1_200, 4_000);
    const { status, message, timeline } = read(run.picture);
    expect([status, timeline.at(-1)?.stage]).toEqual(['Comparing', 'Compare']);
    expect(message).toContain('1,200 of 4,000');
  });
});
