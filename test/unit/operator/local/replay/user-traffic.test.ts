import { describe, expect, test } from 'vitest';
import { createUserTraffic } from '../../../../../operator/local/replay/user-traffic.ts';
import { createRunTally } from '../../../../../operator/local/report/run-tally.ts';
import type { RunOptions } from '../../../../../operator/local/run-options.ts';
import { openRunTraffic } from '../../../../../operator/local/traffic/open-run-traffic.ts';
import { aWindow, DIGEST_B } from '../../../crds/documents.ts';

describe("the user's own requests", () => {
  function aTraffic() {
    const tally = createRunTally(null);
    const sent: number[] = [];
    const traffic = createUserTraffic({
      tally,
      drills: { onSent: (rows) => void sent.push(rows) },
    });
    return { tally, sent, traffic };
  }
  const served = { ...aWindow().served, rows: [6, 3, 1], optedOut: 2, errors: 1 };
  const window = aWindow({ epoch: 1, policyRevision: 2, exits: ['early', 'late'], served });

  test('are counted by what the servers say of them', () => {
    const { tally, sent, traffic } = aTraffic();
    tally.setPolicyScope('1.2', { isServing: true, areExitsOn: true });
    traffic.onWindow(window);
    expect([tally.run.requests, tally.serving.requests, tally.optedOut]).toEqual([10, 10, 2]);
    expect([...(tally.run.rows.get(window.headRevision ?? '') ?? [])]).toEqual([
      ['early', 6],
      ['late', 3],
      ['backbone', 1],
    ]);
    expect([tally.errors.get('row_failed'), sent, traffic.replay.sentRows]).toEqual([1, [10], 10]);
  });

  test('under a policy without exits are charged to no heads and are not in the serving scope', () => {
    const { tally, traffic } = aTraffic();
    tally.setPolicyScope('1.2', { isServing: false, areExitsOn: false });
    traffic.onWindow(aWindow({ ...window, headRevision: DIGEST_B }));
    expect([tally.serving.requests, [...tally.run.rows.keys()]]).toEqual([0, ['']]);
  });

  test('last until the run is stopped, and cannot be compared afterwards', async () => {
    const { traffic } = aTraffic();
    const running = traffic.replay.run();
    await traffic.replay.idle();
    traffic.replay.stop();
    await running;
    await traffic.replay.run();
    expect(await traffic.compare(() => false)).toBeNull();
    expect([traffic.evidenceRows, traffic.repeatsFrom(), traffic.collectRows()]).toEqual([
      null,
      null,
      10_000,
    ]);
    traffic.close();
  });
});

describe('--traffic http', () => {
  const options = {
    traffic: 'http',
    headTraffic: null,
    labels: null,
    requests: null,
    rate: null,
    loop: false,
    drills: { drift: null, kill: null, slow: null, poisonHead: false },
  } as RunOptions;
  const model = {
    path: '/nowhere/model.onnx',
    state: () => Promise.resolve(null),
    onWarning: () => undefined,
  };

  test('has no rows of its own', async () => {
    expect(await openRunTraffic(options, model)).toEqual({
      traffic: null,
      headTraffic: null,
      labels: null,
    });
  });

  test.each<[string, Partial<RunOptions>]>([
    ['--head-traffic', { headTraffic: 'npy:x.npy' }],
    ['--labels', { labels: 'npy:x.npy' }],
    ['--requests', { requests: 5 }],
    ['--rate', { rate: 5 }],
    ['--loop', { loop: true }],
    [
      '--drift',
      { drills: { ...options.drills, drift: { kind: 'noise', fromRequest: 1, strength: 1 } } },
    ],
  ])('and %s do not go together', async (flag, changes) => {
    await expect(openRunTraffic({ ...options, ...changes }, model)).rejects.toThrow(
      `The command line is not understood (--traffic http ${flag}): the rows are those that you send to the predict address, and the flag is about rows that the run sends. Leave ${flag} out, or name a source of rows with --traffic. [UsageError]`,
    );
  });
});
