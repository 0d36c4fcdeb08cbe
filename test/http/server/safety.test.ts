import { afterEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { RowFlag } from '../../../server/engine/engine-client.ts';
import { openRecord } from '../../promises/open-record.ts';
import { eventually } from '../../support/eventually.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { RowCode } from '../../support/fake-engine.ts';
import type { Row, TestServer, TestServerOptions } from '../../support/test-server.ts';
import {
  EASY,
  GOOD_CERTIFICATE,
  HARD,
  aCandidate,
  aPolicy,
  aTrack,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

const WRONG: Row = [0, 0.99999, 0.99999, RowCode.headsDisagree];
const NAN_HEAD: Row = [0, 0.99999, 0.99999, RowCode.headNotFinite];

const recordBurst = openRecord('numeric-burst');

const started: TestServer[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

async function serverWithExits(
  more: Parameters<typeof aPolicy>[0] = {},
  options: TestServerOptions = {},
): Promise<{ server: TestServer; stable: string }> {
  const server = await startTestServer(options);
  started.push(server);
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), ...more }));
  return { server, stable };
}

async function exitOf(server: TestServer, row: Row): Promise<unknown> {
  return (await server.ask([row])).parameters.layercache_exit;
}

describe('the breaker', () => {
  test('opens on own audits without the operator, holds under the same certificate, closes with a new one', async () => {
    const { server, stable } = await serverWithExits({ auditRate: 1 });
    let left = 0;
    for (
      let i = 0;
      i < 60 && (await exitOf(server, [i % 3, 0.99999, 0, RowCode.headsDisagree])) === 'early';
      i++
    )
      left += 1;
    // exits.md 8.3: mean 4 audits at 100 % disagreement.
    expect(left).toBeGreaterThanOrEqual(2);
    expect(left).toBeLessThan(12);
    expect((await server.state()).switchedOff).toEqual([
      { exit: 'early', cause: 'breaker' },
      { exit: 'late', cause: 'breaker' },
    ]);
    const { windows } = await server.evidence();
    expect(windows.at(-1)?.switchedOff).toEqual(['early', 'late']);
    await server.apply(
      aPolicy({ revision: 2, stable: aTrack(stable, { lambdaIndex: 10 }), auditRate: 1 }),
    );
    expect(await exitOf(server, EASY)).toBe('backbone');
    const fresh = { ...GOOD_CERTIFICATE, audits: 1010 };
    await server.apply(
      aPolicy({ revision: 3, stable: aTrack(stable, { certificate: fresh }), auditRate: 1 }),
    );
    expect(await exitOf(server, EASY)).toBe('early');
  });

  test('stays closed while the heads agree', async () => {
    const { server } = await serverWithExits({ auditRate: 1 });
    for (let i = 0; i < 100; i++) expect(await exitOf(server, EASY)).toBe('early');
    expect((await server.state()).switchedOff).toEqual([]);
  });
});

describe('heads that are not finite', () => {
  test('send the row to the end; ten in a minute cut the exit until the next revision', async () => {
    const { server } = await serverWithExits();
    for (let i = 0; i < 9; i++) expect(await exitOf(server, NAN_HEAD)).toBe('backbone');
    expect(await exitOf(server, EASY)).toBe('early');
    expect(await exitOf(server, NAN_HEAD)).toBe('backbone');
    const after = await exitOf(server, EASY);
    recordBurst({ bursts: 1, earlyAfterIt: after === 'backbone' ? 0 : 1 });
    expect(after).toBe('backbone');
    expect((await server.state()).switchedOff).toEqual([{ exit: 'early', cause: 'numeric' }]);
    await eventually(() => {
      expect([...server.engine.plans.values()].at(-1)?.tracks[0]?.activeExits).toEqual([]);
    });
    const other = await server.push(fakeBundle(3));
    await server.apply(aPolicy({ revision: 2, stable: aTrack(other) }));
    expect(await exitOf(server, EASY)).toBe('early');
  });

  test('nine in a minute and more later cut nothing', async () => {
    const clock = fakeClock();
    const { server } = await serverWithExits({}, { clock });
    for (let i = 0; i < 27; i++) {
      if (i % 9 === 0) clock.advance(61_000);
      await exitOf(server, NAN_HEAD);
    }
    expect((await server.state()).switchedOff).toEqual([]);
  });
});

describe('a policy whose operator is silent', () => {
  async function silence(server: TestServer, clock: ReturnType<typeof fakeClock>): Promise<void> {
    // After the last call of the operator: asking for state is not one.
    clock.advance(301_000);
    await eventually(async () => {
      expect((await server.infer([EASY])).headers['layercache-exit']).toBe('backbone');
    });
  }

  test('loses its exits when the server has too few audits of its own, and gets them back when he speaks', async () => {
    const clock = fakeClock();
    const { server } = await serverWithExits({ auditRate: 1 }, { clock });
    expect(await exitOf(server, EASY)).toBe('early');
    await silence(server, clock);
    expect((await server.state()).switchedOff).toEqual([
      { exit: 'early', cause: 'stale_policy' },
      { exit: 'late', cause: 'stale_policy' },
    ]);
    const { windows } = await server.evidence();
    expect(windows.at(-1)?.switchedOff).toEqual([]);
    await eventually(async () => {
      expect(await exitOf(server, EASY)).toBe('early');
    });
  });

  test('keeps stable exits with 299 own audits, but the candidate’s share ends', async () => {
    const clock = fakeClock();
    const { server, stable } = await serverWithExits({}, { clock });
    const candidate = await server.push(fakeBundle(3));
    await server.apply(
      aPolicy({
        revision: 2,
        stable: aTrack(stable),
        candidate: aCandidate(candidate, 1),
        auditRate: 1,
      }),
    );
    for (let i = 0; i < 30; i++) await server.ask(new Array<Row>(10).fill(EASY));
    clock.advance(301_000);
    await eventually(async () => {
      expect((await server.ask([EASY])).parameters).toMatchObject({
        layercache_track: 'stable',
        layercache_exit: 'early',
      });
    });
  });
});

describe('an engine that dies', () => {
  test('costs no request: rows in flight are run again, alone, on the backbone', async () => {
    const { server } = await serverWithExits({ auditRate: 1 });
    const { newestSeq } = await server.evidence();
    server.engine.slotCount = 4;
    server.engine.isHeld = true;
    const waiting = [server.ask([HARD, HARD]), server.ask([EASY])];
    await eventually(() => {
      expect(server.engine.batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(3);
    });
    const before = server.engine.batches.length;
    server.engine.isHeld = false;
    server.engine.kill();
    const answers = await Promise.all(waiting);
    expect(answers.map(({ parameters }) => parameters.layercache_exit)).toEqual([
      'backbone',
      'backbone',
    ]);
    const again = server.engine.batches.slice(before);
    expect(again.map(({ rows }) => rows)).toEqual([1, 1, 1]);
    expect(again.every(({ flags }) => flags[0] === RowFlag.BackboneOnly)).toBe(true);
    const windows = (await server.evidence(newestSeq)).windows;
    expect(windows.reduce((sum, { auditsLost }) => sum + auditsLost, 0)).toBe(3);
    expect(await exitOf(server, EASY)).toBe('early');
  });

  test('is not ready after five seconds; requests wait until their deadline, then 503', async () => {
    const clock = fakeClock();
    const { server } = await serverWithExits({}, { clock });
    server.engine.restartMs = 1_000_000;
    server.engine.kill();
    const answer = await server.infer([EASY], {}, { 'request-timeout': '0.05' });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('2');
    expect((await send(server.metrics, '/readyz')).status).toBe(200);
    clock.advance(5_001);
    expect((await send(server.metrics, '/readyz')).status).toBe(503);
    expect((await send(server.data, '/v2/health/ready')).status).toBe(503);
    expect((await send(server.metrics, '/livez')).status).toBe(200);
  });

  test('with a row that ended it twice refuses the row, and serves all others', async () => {
    const { server } = await serverWithExits();
    const deadly: Row = [1, 0.5, 0.5, RowCode.deadly];
    const [bad, good] = await Promise.all([server.infer([deadly]), server.infer([HARD])]);
    expect(bad.status).toBe(500);
    expect(bad.body.toString()).toMatch(/ended the engine process twice/);
    expect(good.status).toBe(200);
    const deaths = server.engine.batches.length;
    const again = await server.infer([deadly]);
    expect(again.status).toBe(500);
    expect(server.engine.batches.length).toBe(deaths);
    expect((await server.infer([HARD])).status).toBe(200);
  });

  test('whose heads no longer load comes back with the backbone', async () => {
    const { server } = await serverWithExits();
    server.engine.prepareError = new EngineError('EngineFailed', 'out of memory');
    server.engine.kill();
    await eventually(async () => {
      expect(await exitOf(server, EASY)).toBe('backbone');
      expect((await server.state()).acknowledgement.reason).toBe('EngineFailed');
    });
  });

  test('whose heads load again at the next start answers early again, and a policy refused meanwhile stays told', async () => {
    const { server } = await serverWithExits();
    server.engine.prepareError = new EngineError('EngineFailed', 'out of memory');
    server.engine.kill();
    await eventually(async () => {
      expect((await server.state()).acknowledgement.reason).toBe('EngineFailed');
    });
    const refused = await server.apply(aPolicy({ revision: 2, model: 'other' }));
    expect(refused.reason).toBe('ModelMismatch');
    server.engine.kill();
    await eventually(async () => {
      expect(await exitOf(server, EASY)).toBe('early');
    });
    expect((await server.state()).acknowledgement.reason).toBe('ModelMismatch');
  });

  test('an error on the way through an exit is answered by the backbone', async () => {
    const { server } = await serverWithExits();
    expect(await exitOf(server, [1, 0.99999, 0, RowCode.failing])).toBe('backbone');
  });
});

describe('a backbone that answers ten rows in a minute with what is not finite', () => {
  const NAN: Row = [1, 0, 0, RowCode.backboneNotFinite];

  test('and gives its known answer goes on: it was the input', async () => {
    const { server } = await serverWithExits();
    for (let i = 0; i < 9; i++) await server.ask([NAN]);
    expect(server.engine.checks).toBe(0);
    await server.ask([NAN]);
    expect(server.engine.checks).toBe(1);
    expect((await send(server.metrics, '/readyz')).status).toBe(200);
  });

  test('and no longer gives it is not ready until another host does', async () => {
    const { server } = await serverWithExits();
    server.engine.isWrong = true;
    server.engine.restartMs = 300;
    await server.ask(new Array<Row>(10).fill(NAN));
    await eventually(async () => {
      expect((await send(server.metrics, '/readyz')).status).toBe(503);
    });
    await eventually(async () => {
      expect((await send(server.metrics, '/readyz')).status).toBe(200);
    });
    expect(await exitOf(server, EASY)).toBe('early');
  });
});

describe('the end of a server', () => {
  test('drain refuses new requests, finishes old ones, and answers when idle', async () => {
    const { server } = await serverWithExits();
    server.engine.isHeld = true;
    const running = server.ask([HARD]);
    await eventually(() => {
      expect(server.engine.batches.length).toBe(1);
    });
    let isDrained = false;
    const drained = send(server.admin, '/v1/drain', { method: 'POST', body: '' }).then((answer) => {
      isDrained = true;
      return answer;
    });
    await eventually(async () => {
      expect((await server.infer([HARD])).status).toBe(503);
    });
    expect((await send(server.metrics, '/readyz')).status).toBe(503);
    expect(isDrained).toBe(false);
    server.engine.isHeld = false;
    expect((await running).parameters.layercache_exit).toBe('backbone');
    expect((await drained).status).toBe(200);
  });

  test('shutdown serves on for the delay, not ready, and closes connections', async () => {
    const { server } = await serverWithExits(
      {},
      { environment: { LAYERCACHE_DRAIN_DELAY: '300ms' } },
    );
    const ended = server.server.shutdown();
    expect((await send(server.metrics, '/readyz')).status).toBe(503);
    const answer = await server.infer([EASY]);
    expect(answer.status).toBe(200);
    expect(answer.headers.connection).toBe('close');
    await ended;
    await expect(server.infer([EASY])).rejects.toThrow();
    expect(server.engine.status).toBe('Closed');
  });
});

test('a track with a bad class is cut although the whole is within budget', async () => {
  const { server } = await serverWithExits({ auditRate: 1, budget: 0.02 });
  // One class of many is always wrong: 1 row in 40 disagrees over all.
  let hasAnsweredEarly = true;
  for (let i = 0; i < 40 && hasAnsweredEarly; i++) {
    await server.ask(new Array<Row>(39).fill(EASY));
    hasAnsweredEarly = (await exitOf(server, WRONG)) === 'early';
  }
  expect((await server.state()).switchedOff).toContainEqual({ exit: 'early', cause: 'breaker' });
});
