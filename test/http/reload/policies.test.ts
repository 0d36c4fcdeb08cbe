import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { PolicyCertificate } from '../../../crds/wire/policy.ts';
import { eventually } from '../../support/eventually.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  EASY,
  GOOD_CERTIFICATE,
  HARD,
  aCandidate,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordRefused = openRecord('wrong-policies');
let cases = 0;
let accepted = 0;
/** Told what came of a document that must be refused. */
function countCase({ result }: { readonly result: string }): void {
  cases += 1;
  if (result !== 'Rejected') accepted += 1;
  recordRefused({ cases, accepted });
}

let server: TestServer;
let stable = '';
beforeEach(async () => {
  server = await startTestServer();
  stable = await server.push(fakeBundle(2));
});
afterEach(() => server.close());

async function exitNow(): Promise<unknown> {
  return (await server.ask([EASY])).parameters.layercache_exit;
}

describe('a certificate is computed again from its counts, and one that was tampered with is refused', () => {
  const tampered: [string, Partial<PolicyCertificate>, number?][] = [
    ['more disagreements than the budget allows', { disagreements: 9 }],
    ['too few audits', { audits: 300 }],
    ['rows that hang together', { dispersion: 3 }],
    ['an attempt that has spent its share', { attempt: 40 }],
    ['counts of another budget', {}, 0.001],
  ];

  test.each(tampered)('%s, for stable', async (_, change, budget = 0.01) => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const certificate = { ...GOOD_CERTIFICATE, ...change };
    const acknowledgement = await server.apply(
      aPolicy({ revision: 2, budget, stable: aTrack(stable, { certificate }) }),
    );
    countCase(acknowledgement);
    expect(acknowledgement).toMatchObject({
      ...{ result: 'Rejected', reason: 'CertificateRejected', revision: 1 },
    });
    expect(await exitNow()).toBe('early');
  });

  test.each(tampered)('%s, for the candidate', async (_, change, budget = 0.01) => {
    const candidate = await server.push(fakeBundle(3));
    const certificate = { ...GOOD_CERTIFICATE, ...change };
    const acknowledgement = await server.apply(
      aPolicy({ budget, candidate: aCandidate(candidate, 1, { certificate }) }),
    );
    countCase(acknowledgement);
    expect(acknowledgement).toMatchObject({ result: 'Rejected', reason: 'CertificateRejected' });
    expect(acknowledgement.message).toMatch(/\(candidate\); publish/);
    expect(await exitNow()).toBe('backbone');
  });

  test.each([
    [
      'other heads',
      { headRevision: digestOf(Buffer.from('other')) },
      /made for heads sha256:.*; publish the/,
    ],
    [
      'a smaller lambda than the one in the policy',
      { lambdaIndex: 59 },
      /lambda index 59 and below, the policy says 60/,
    ],
  ])('one of %s is refused, on either track', async (_, change, message) => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const own = { headRevision: stable, lambdaIndex: 60 };
    const certificate = { ...GOOD_CERTIFICATE, ...own, ...change };
    for (const tracks of [
      { stable: aTrack(stable, { certificate }) },
      { stable: aTrack(stable), candidate: aCandidate(stable, 1, { certificate }) },
    ]) {
      const told = await server.apply(aPolicy({ revision: 2, ...tracks }));
      expect(told).toMatchObject({
        result: 'Rejected',
        reason: 'CertificateRejected',
        revision: 1,
      });
      expect(told.message).toMatch(message);
    }
    expect(await exitNow()).toBe('early');
  });

  test('one of these heads and a larger lambda holds: tightening is certified', async () => {
    const certificate = { ...GOOD_CERTIFICATE, headRevision: stable, lambdaIndex: 61 };
    const policy = aPolicy({ stable: aTrack(stable, { certificate }) });
    expect(await server.apply(policy)).toMatchObject({ result: 'Applied', reason: '' });
    expect(await exitNow()).toBe('early');
  });

  test('one of another backbone is no policy at all', async () => {
    const certificate = { ...GOOD_CERTIFICATE, backboneDigest: `sha256:${'c'.repeat(64)}` };
    const policy = aPolicy({ stable: aTrack(stable, { certificate }) });
    expect(await server.apply(policy)).toMatchObject({ result: 'Rejected', reason: 'Invalid' });
  });

  test.each([
    ['keys that stand twice', (text: string) => text.replace('{', '{"epoch":9,')],
    ['__proto__', (text: string) => text.replace('{', '{"__proto__":{"exitsEnabled":true},')],
    [
      'a version from the future',
      (text: string) => text.replace('"schemaVersion":1', '"schemaVersion":9'),
    ],
  ])('%s: the whole document is refused', async (_, change) => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const body = change(JSON.stringify(aPolicy({ epoch: 8, exitsEnabled: false })));
    const answer = await send(server.admin, '/v1/policy', { method: 'PUT', body });
    const told = JSON.parse(answer.body.toString()) as { readonly result: string };
    countCase(told);
    expect(told).toMatchObject({ result: 'Rejected', epoch: 1 });
    expect(await exitNow()).toBe('early');
  });
});

describe('a policy whose heads end the engine while they are prepared', () => {
  test('is refused after the second time, and the one in force comes back each time', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const deadly = aPolicy({ revision: 2, stable: aTrack(await server.push(fakeBundle(3))) });
    for (const reason of ['EngineDown', 'EngineDown', 'PolicyCrashed', 'PolicyCrashed']) {
      if (reason === 'EngineDown') server.engine.deadlyPrepares = 1;
      expect(await server.apply(deadly)).toMatchObject({ result: 'Rejected', reason, revision: 1 });
      await eventually(async () => {
        expect(await exitNow()).toBe('early');
      });
    }
    expect(server.engine.plans.size).toBe(1);
    const next = { ...deadly, revision: 3 };
    expect(await server.apply(next)).toMatchObject({ result: 'Applied', revision: 3 });
  });

  test('and is in force gives way to the backbone after the second time, until the next policy', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    server.engine.deadlyPrepares = 2;
    server.engine.kill();
    await eventually(async () => {
      expect((await server.state()).acknowledgement).toMatchObject({
        result: 'Applied',
        reason: 'PolicyCrashed',
        revision: 1,
        headRevisions: [],
      });
    });
    expect(await exitNow()).toBe('backbone');
    await server.apply(aPolicy({ revision: 2, stable: aTrack(stable) }));
    expect(await exitNow()).toBe('early');
  });

  test('once, by chance, is prepared again and counts from zero', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    for (let time = 0; time < 4; time += 1) {
      server.engine.deadlyPrepares = 1;
      server.engine.kill();
      await eventually(async () => {
        expect(server.engine.deadlyPrepares).toBe(0);
        expect(await exitNow()).toBe('early');
      });
    }
  });
});

describe('a push of heads', () => {
  const bytes = encodeHeadBundle(fakeBundle(5));
  const path = `/v1/heads/${digestOf(bytes)}`;

  function begin(announced: number, sent: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.admin, '127.0.0.1', () => {
        socket.write(
          `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${announced}\r\n\r\n`,
        );
        socket.write(sent, () => {
          socket.destroy();
          resolve();
        });
      });
      socket.on('error', reject);
    });
  }

  test('that is cut is not there, and the next one is whole', async () => {
    await begin(bytes.length, bytes.subarray(0, bytes.length - 1));
    expect((await server.state()).heads).toHaveLength(1);
    expect((await send(server.admin, path, { method: 'PUT', body: bytes })).status).toBe(201);
    expect((await server.state()).heads).toHaveLength(2);
  });

  test('by many at once is kept once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send(server.admin, path, { method: 'PUT', body: bytes })),
    );
    expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
    expect((await server.state()).heads).toHaveLength(2);
  });

  test('over the cap is refused before it is read', async () => {
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.admin, '127.0.0.1', () => {
        socket.write(
          `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${2 ** 31}\r\n\r\n`,
        );
      });
      socket.once('data', (chunk: Buffer) => {
        resolve(chunk.toString().split('\r\n')[0]!);
        socket.destroy();
      });
      socket.on('error', reject);
    });
    expect(status).toMatch(/413/);
  });

  test('does not hold up requests', async () => {
    server.engine.latencyMs = 1;
    const asked = Promise.all(Array.from({ length: 20 }, () => server.ask([HARD])));
    for (let i = 0; i < 20; i += 1) await server.push(fakeBundle(10 + i));
    expect(await asked).toHaveLength(20);
  });
});
