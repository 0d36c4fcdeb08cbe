// Drills in real processes on a small model: what they break, what goes on, and what the report says of it. `npm run build` (or
// operator/bundle/bundle.mjs) comes first.
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { aPlace, drillOf, finished, run } from './drill-run.ts';
import { startCli } from './local-run.ts';

describe('a server that dies and an engine that is slow', () => {
  test('fail only what the process held: the other serves, and it comes back in its place', async () => {
    // Without exits nothing is trained: the drills alone take time.
    const place = aPlace(1_500, '  exits: []\n');
    const started = run(
      place,
      ...['--replicas', '2', '--kill', 'server@400', '--slow', '5ms@900', '--concurrency', '8'],
      ...['--loop', '--drift', 'noise@600'],
    );
    await eventually(() => {
      expect(started.stderr()).toContain('Drill: local-1 answers again after');
      expect(started.stderr()).toContain(
        'Drill: from now on every engine host stands still for 5 ms',
      );
    }, 120_000);
    started.kill('SIGINT');
    const report = await finished(place, started, 130);
    const { message, failedRequests, held } = drillOf(report, 'Kill');
    expect(message).toMatch(
      /^The server local-1 was killed with \d+ requests in it, of which \d+ failed; it answered again after [\d.]+ s, no other request failed\.$/,
    );
    // It held as many as there were places for, and nothing failed but what it held: some answers were on their way.
    expect(held?.requests).toBeGreaterThan(0);
    expect(held?.requests).toBeLessThanOrEqual(8);
    expect([report.errors.count, failedRequests]).toEqual([held?.failed, held?.failed]);
    expect(report.run.requests).toBeGreaterThan(900);
    expect(drillOf(report, 'Drift')).toMatchObject({
      flag: '--drift noise@600 --drift-strength 0.3',
      message: expect.stringMatching(
        /^Rows drifted \(noise\): exits were off as it began, no alarm on 0 audits, \d+ requests failed\. Since it began, [\d,]+ drifted rows were answered, none of them early\.$/,
      ) as unknown,
    });
    expect(drillOf(report, 'Slow').message).toMatch(
      /mean latency [\d.]+ ms before, [\d.]+ ms from then on/,
    );
    expect(report.statements.map(({ reason }) => reason)).toContain('NoExits');
  }, 180_000);
});

describe("the user's own requests", () => {
  test('are served until the time is over, counted by the servers, and never compared', async () => {
    const place = aPlace(10);
    const started = startCli(
      [
        'local',
        'run',
        '-f',
        place.manifest,
        '--traffic',
        'http',
        '--for',
        '4s',
        '--report',
        'out',
        '--no-dashboard',
      ],
      place.folder,
    );
    const url = await eventually(() => {
      const found = /predict (http:\S+)/.exec(started.stderr())?.[1];
      if (found === undefined) throw new Error(started.stderr());
      return found;
    }, 30_000);
    const data = Array.from({ length: 768 }, (_, i) => i / 768);
    const input = { name: 'input', datatype: 'FP32', shape: [1, 3, 16, 16], data };
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: [input] }),
      });
      expect(answer.status).toBe(200);
    }
    const report = await finished(place, started, 0);
    expect(report.run.requests).toBe(5);
    expect([report.run.trueDisagreement, report.traffic.source, report.complete]).toEqual([
      null,
      'http',
      true,
    ]);
    expect(report.statements.map(({ reason }) => reason)).toEqual(['InsufficientSamples']);
  }, 60_000);
});
