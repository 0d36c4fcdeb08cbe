import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseSampleBatch } from '../../../crds/wire/samples.ts';
import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import { RowCode } from '../../support/fake-engine.ts';
import type { Row, TestServer } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  aCandidate,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

const WRONG: Row = [0, 0.99999, 0.99999, RowCode.headsDisagree];

let server: TestServer;
let stable = '';
beforeEach(async () => {
  server = await startTestServer();
  stable = await server.push(fakeBundle(2));
});
afterEach(() => server.close());

async function windowsAfter(seq: number): Promise<readonly EvidenceWindow[]> {
  return (await server.evidence(seq)).windows;
}

async function serve(...rows: Row[]): Promise<void> {
  for (const row of rows) await server.ask([row]);
}

describe('windows', () => {
  test('without heads there is one window of counters, whose rows are the backbone’s', async () => {
    const { newestSeq } = await server.evidence();
    await serve(HARD, HARD);
    const windows = await windowsAfter(newestSeq);
    expect(windows).toMatchObject([
      {
        headRevision: null,
        track: null,
        exits: [],
        epoch: 0,
        served: { rows: [2], optedOut: 0, forced: 2 },
        auditsChosen: 0,
        share: 1,
      },
    ]);
    expect(windows[0]?.compute?.segment).toBeCloseTo(0.002, 9);
    expect(windows[0]?.served.latency[0]?.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
  });

  test('an audited row counts at every lambda, and where it left', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
    const { newestSeq } = await server.evidence();
    await serve(EASY, EASY, HARD, WRONG);
    const [window] = await windowsAfter(newestSeq);
    expect(window).toMatchObject({
      headRevision: stable,
      track: 'stable',
      exits: ['early', 'late'],
      lambdaIndex: 60,
      epoch: 1,
      policyRevision: 1,
      exitsEnabled: true,
      auditsChosen: 4,
      auditsLost: 0,
      auditRate: 1,
      served: { rows: [3, 0, 1], forced: 0, optedOut: 0, errors: 0 },
      switchedOff: [],
    });
    expect(window?.grid.n).toBe(4);
    expect(window?.grid.leave[0]?.[60]).toBe(3);
    expect(window?.grid.dis[60]).toBe(1);
    expect(window?.strata).toEqual([
      { exit: 'early', classId: 0, audits: 2, disagreements: 0 },
      { exit: 'early', classId: 1, audits: 1, disagreements: 1 },
    ]);
    expect(window?.served.scoreBins[0]?.[15]).toBe(3);
  });

  test('with exits off the heads still run beside the backbone', async () => {
    const shadow = aPolicy({
      stable: aTrack(stable, { lambdaIndex: null, certificate: null, activeExits: [] }),
      exitsEnabled: false,
      auditRate: 1,
    });
    await server.apply(shadow);
    const { newestSeq } = await server.evidence();
    await serve(EASY, WRONG);
    const [window] = await windowsAfter(newestSeq);
    expect(window).toMatchObject({
      lambdaIndex: null,
      grid: { n: 2 },
      served: { rows: [0, 0, 2] },
    });
    expect(window?.grid.leave[0]?.[119]).toBe(2);
  });

  test('a policy change closes the window: no row stands under two policies', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
    const { newestSeq } = await server.evidence();
    await serve(EASY);
    await server.apply(
      aPolicy({ revision: 2, stable: aTrack(stable, { lambdaIndex: 50 }), auditRate: 1 }),
    );
    await serve(EASY, EASY);
    const windows = (await windowsAfter(newestSeq)).filter(({ grid }) => grid.n > 0);
    expect(
      windows.map(({ policyRevision, lambdaIndex, grid }) => [policyRevision, lambdaIndex, grid.n]),
    ).toEqual([
      [1, 60, 1],
      [2, 50, 2],
    ]);
  });

  test('a batch that outlives its policy reports into that policy’s window', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
    const { newestSeq } = await server.evidence();
    server.engine.isHeld = true;
    const late = server.ask([EASY]);
    await expect.poll(() => server.engine.batches.length).toBe(1);
    await server.apply(
      aPolicy({ revision: 2, stable: aTrack(stable, { lambdaIndex: 50 }), auditRate: 1 }),
    );
    server.engine.isHeld = false;
    expect((await late).parameters.layercache_policy).toBe('1.1');
    const windows = (await windowsAfter(newestSeq)).filter(({ grid }) => grid.n > 0);
    expect(windows.map(({ policyRevision }) => policyRevision)).toEqual([1]);
  });

  test('both tracks get every audited row, and the candidate’s window pairs them', async () => {
    const candidate = await server.push(fakeBundle(3));
    await server.apply(
      aPolicy({
        stable: aTrack(stable),
        candidate: aCandidate(candidate, 0.5, { activeExits: ['early'] }),
        auditRate: 1,
      }),
    );
    const { newestSeq } = await server.evidence();
    await serve(...new Array<Row>(20).fill(EASY), [0, 0.1, 0.99999, RowCode.headsDisagree]);
    const [first, second] = await windowsAfter(newestSeq);
    expect(first).toMatchObject({
      headRevision: stable,
      grid: { n: 21 },
      share: 0.5,
      paired: null,
    });
    expect(second).toMatchObject({
      headRevision: candidate,
      track: 'candidate',
      grid: { n: 21 },
      share: 0.5,
      compute: null,
    });
    expect(second?.paired).toMatchObject({
      stableHeadRevision: stable,
      joint: [
        [20, 0, 0],
        [0, 0, 1],
        [0, 0, 0],
      ],
      onlyStableWrong: 1,
      onlyCandidateWrong: 0,
    });
    const rows = [first, second].map(
      (window) => window?.served.rows.reduce((a, b) => a + b, 0) ?? 0,
    );
    expect(rows[0]! + rows[1]!).toBe(21);
  });

  test('a first candidate is compared with rows without heads', async () => {
    await server.apply(aPolicy({ candidate: aCandidate(stable, 0.5), auditRate: 1 }));
    const { newestSeq } = await server.evidence();
    await serve(...new Array<Row>(20).fill(EASY));
    const windows = await windowsAfter(newestSeq);
    expect(windows.map(({ headRevision }) => headRevision)).toEqual([null, stable]);
    expect(windows[0]!.served.rows[0]! + windows[1]!.served.rows[0]!).toBe(20);
  });

  test('are numbered one after the other and given out after a watermark', async () => {
    for (let i = 0; i < 3; i++) await server.evidence();
    const { windows, oldestSeq, newestSeq } = await server.evidence();
    expect(windows.map(({ seq }) => seq)).toEqual(windows.map((_, i) => oldestSeq + i));
    expect(windows.at(-1)?.seq).toBe(newestSeq);
    expect((await windowsAfter(newestSeq - 1)).map(({ seq }) => seq)).toEqual([
      newestSeq,
      newestSeq + 1,
    ]);
  });

  test('rows without a finite backbone answer are neither evidence nor lost', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 1 }));
    const { newestSeq } = await server.evidence();
    await serve([1, 0, 0, RowCode.backboneNotFinite], HARD);
    const [window] = await windowsAfter(newestSeq);
    expect(window).toMatchObject({ auditsChosen: 1, auditsLost: 0, grid: { n: 1 } });
  });

  test('a query that is no number is 400', async () => {
    expect((await send(server.admin, '/v1/evidence?after=x')).status).toBe(400);
    expect((await send(server.admin, '/v1/evidence?close=maybe')).status).toBe(400);
  });
});

describe('samples', () => {
  async function read(query: string) {
    const answer = await send(server.admin, `/v1/samples?${query}`);
    const parsed = parseSampleBatch(answer.body);
    if (!parsed.ok) throw new Error(parsed.message);
    return parsed.value;
  }

  test('are kept of audited rows, before there are heads', async () => {
    await server.apply(aPolicy({ auditRate: 1, exitsEnabled: false }));
    await serve(EASY, HARD, [2, 0.25, 0.5, 0]);
    const batch = await read('part=long&after=0&max=10');
    expect(batch).toMatchObject({
      rowCount: 3,
      rowsSeen: 3,
      topCount: 3,
      classCount: 3,
      nextAfter: 3,
    });
    expect([...batch.teacherClass]).toEqual([0, 1, 2]);
    expect([...batch.sequence]).toEqual([1, 2, 3]);
    expect(batch.exits.map(({ name, featureCount }) => [name, featureCount])).toEqual([
      ['early', 2],
      ['late', 2],
    ]);
    expect([...(await read('part=recent&after=1&max=1')).sequence]).toEqual([2]);
    expect((await server.state()).samples).toEqual({ long: 3, recent: 3, seen: 3 });
  });

  test('are not kept of rows that opted out or were not drawn', async () => {
    await server.apply(aPolicy({ auditRate: 0, exitsEnabled: false }));
    await serve(EASY);
    await server.apply(aPolicy({ revision: 2, auditRate: 1, exitsEnabled: false }));
    await server.ask([EASY], { parameters: { layercache_mode: 'backbone' } });
    expect((await read('part=long')).rowCount).toBe(0);
  });

  test('begin anew when exits are switched off', async () => {
    const heads = { stable: aTrack(stable), auditRate: 1 };
    await server.apply(aPolicy({ ...heads, exitsEnabled: false }));
    await serve(HARD);
    await server.apply(aPolicy({ ...heads, revision: 2 }));
    expect((await read('part=long')).rowCount).toBe(1);
    await server.apply(aPolicy({ ...heads, revision: 3, exitsEnabled: false }));
    expect((await read('part=long')).rowCount).toBe(0);
    await serve(HARD);
    expect([...(await read('part=long')).sequence]).toEqual([2]);
  });

  test('an unknown part is 400', async () => {
    expect((await send(server.admin, '/v1/samples?part=all')).status).toBe(400);
  });
});
