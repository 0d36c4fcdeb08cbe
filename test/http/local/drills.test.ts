// Drills in real processes on a small model: what they break, what goes on, and what the report says of it. `npm run build` (or
// operator/bundle/bundle.mjs) comes first.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportSchema, type Report } from '../../../operator/local/report/report-schema.ts';
import { eventually } from '../../support/eventually.ts';
import { processesOf, startCli, workplace, type CliRun, type Workplace } from './local-run.ts';

const places: Workplace[] = [];

afterAll(() => {
  for (const { folder } of places) rmSync(folder, { recursive: true, force: true });
});

function aPlace(rows: number): Workplace {
  const place = workplace({ rows });
  places.push(place);
  return place;
}

function run({ folder, manifest, traffic }: Workplace, ...flags: string[]): CliRun {
  const words = ['local', 'run', '-f', manifest, '--traffic', traffic, '--report', 'out'];
  return startCli([...words, '--no-dashboard', ...flags], folder);
}

async function finished({ folder }: Workplace, started: CliRun, code: number): Promise<Report> {
  const ended = await started.ended;
  expect(ended.code, started.stderr()).toBe(code);
  await eventually(() => {
    expect(processesOf(folder)).toEqual([]);
  }, 5_000);
  return reportSchema.parse(JSON.parse(readFileSync(join(folder, 'out', 'report.json'), 'utf8')));
}

function drillOf(report: Report, kind: Report['drills'][number]['kind']) {
  const drill = report.drills.find((one) => one.kind === kind);
  if (drill === undefined) throw new Error(`no ${kind} in ${JSON.stringify(report.drills)}`);
  return drill;
}

describe('rows that drift and an engine host that dies', () => {
  test('fail no request: exits go off, come back, and the report says when and at what price', async () => {
    const place = aPlace(9_000);
    const started = run(
      place,
      '--drift',
      'noise@4500',
      '--drift-strength',
      '0.3',
      '--kill',
      'host@1000',
    );
    const report = await finished(place, started, 0);
    expect(report.errors).toEqual({ count: 0, byCode: {} });
    const [alarm] = report.alarms;
    expect(alarm, started.stderr()).toMatchObject({
      reason: 'Alarm',
      drift: { fromRequest: 4_500 },
    });
    expect(alarm?.offRequest).toBeGreaterThan(4_500);
    const { served, audits } = alarm?.drift ?? { served: { n: 0, k: 0 }, audits: 0 };
    expect(audits).toBeGreaterThan(0);
    expect(served.k).toBeGreaterThan(0);
    expect(served.k).toBeLessThan(served.n);
    expect(drillOf(report, 'Drift')).toMatchObject({ atRequest: 4_500, failedRequests: 0 });
    const kill = drillOf(report, 'Kill');
    expect(kill).toMatchObject({ flag: '--kill host@1000', failedRequests: 0 });
    expect(kill.recoveredSeconds).toBeGreaterThan(0);
    expect(started.stderr()).toContain('Drill: noise of strength 0.3 begins at request 4,500');
    expect(started.stdout()).toContain('answered unlike the backbone');
  }, 180_000);
});

describe('a server that dies, poisoned heads and a slow engine', () => {
  test('fail only what the process held: the others serve, it comes back, and the heads answer nothing', async () => {
    const place = aPlace(5_400);
    const started = run(
      place,
      ...['--replicas', '2', '--kill', 'server@3000', '--poison-head', '--slow', '5ms@4000'],
    );
    const report = await finished(place, started, 0);
    const kill = drillOf(report, 'Kill');
    expect(kill.message).toMatch(
      /^The server local-1 was killed with \d+ requests in it; it answered again after/,
    );
    // A freed place may send one more before the client learns that the process is gone.
    expect(report.errors.count).toBe(kill.failedRequests);
    expect(report.errors.count).toBeLessThanOrEqual(32);
    expect(Object.keys(report.errors.byCode).filter((code) => code !== 'econnreset')).toEqual([]);
    const poison = drillOf(report, 'PoisonHead');
    expect(poison.message).toContain(
      'were offered and answered 0 requests; they were rejected (NotCertified)',
    );
    expect(report.run.requests + report.errors.count).toBe(5_400);
    expect(drillOf(report, 'Slow').message).toMatch(
      /mean latency [\d.]+ ms before, [\d.]+ ms from then on/,
    );
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
