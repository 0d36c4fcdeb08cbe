import { mkdtempSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { EngineError } from '../../../server/engine/engine-error.ts';
import { DEFAULT_LIMITS } from '../../../server/serving.ts';
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

describe('order of policies', () => {
  test('a higher pair is applied, an equal one already applied, a lower one stale', async () => {
    const policy = aPolicy({ epoch: 2, revision: 5, stable: aTrack(stable) });
    expect(await server.apply(policy)).toMatchObject({
      result: 'Applied',
      epoch: 2,
      revision: 5,
      headRevisions: [stable],
      knownAnswers: [{ headRevision: stable }],
    });
    expect(await server.apply(policy)).toMatchObject({ result: 'AlreadyApplied' });
    const older = { ...policy, epoch: 1, revision: 9, exitsEnabled: false };
    expect(await server.apply(older)).toMatchObject({ result: 'Stale', epoch: 2, revision: 5 });
    expect(await exitNow()).toBe('early');
  });
});

test('the log level of a policy is in force at once, and the one of the start when a policy names none', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const logged = await startTestServer({ log });
  try {
    const debugged = aPolicy({
      schemaVersion: 2,
      limits: { ...DEFAULT_LIMITS, logLevel: 'Debug' },
    });
    expect(await logged.apply(debugged)).toMatchObject({ result: 'Applied' });
    await logged.apply(debugged);
    expect(lines.filter((line) => line.includes('"policy unchanged"'))).toHaveLength(1);
    const plain = aPolicy({ revision: debugged.revision + 1 });
    await logged.apply(plain);
    lines.length = 0;
    await logged.apply(plain);
    expect(lines).toEqual([]);
    expect(log.level).toBe('warn');
    expect((await logged.state()).policySchemaVersions).toEqual([1, 2, 3, 4, 5]);
  } finally {
    await logged.close();
  }
});

test('a policy for another backbone is in force with exits off, whatever it names, until one names this backbone', async () => {
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  const other = `sha256:${'c'.repeat(64)}`;
  const foreign = aPolicy({
    revision: 2,
    backboneDigest: other,
    exits: [{ name: 'early', tensor: 'unknown/here', mode: 'Active' }],
    limits: { ...DEFAULT_LIMITS, maxRequestBytes: 2_000 },
  });
  expect(await server.apply(foreign)).toMatchObject({
    result: 'Applied',
    reason: 'BackboneMismatch',
    revision: 2,
    headRevisions: [],
  });
  expect(await exitNow()).toBe('backbone');
  const large = await server.infer(Array.from({ length: 200 }, () => EASY));
  expect(large.status).toBe(413);
  expect(await server.apply(foreign)).toMatchObject({ result: 'AlreadyApplied' });
  expect((await server.apply(aPolicy({ revision: 3, stable: aTrack(stable) }))).reason).toBe('');
  expect(await exitNow()).toBe('early');
});

describe('a policy that is refused leaves the one in force', () => {
  const refusals: [string, string, (policy: ReturnType<typeof aPolicy>) => unknown][] = [
    ['no JSON', 'Malformed', () => '{'],
    ['another schema', 'UnknownSchema', (policy) => ({ ...policy, schemaVersion: 9 })],
    ['an unknown field', 'Invalid', (policy) => ({ ...policy, extra: 1 })],
    ['another model', 'ModelMismatch', (policy) => ({ ...policy, model: 'other' })],
    [
      'a companion',
      'CompanionUnsupported',
      (policy) => ({
        ...policy,
        exits: [
          ...policy.exits,
          { name: 'small', modelDigest: `sha256:${'d'.repeat(64)}`, mode: 'Active' },
        ],
      }),
    ],
    [
      'a tensor that is no cut',
      'TensorNotFound',
      (policy) => ({
        ...policy,
        exits: [...policy.exits, { name: 'odd', tensor: 'cut_c', mode: 'Shadow' }],
      }),
    ],
    [
      'a certificate whose counts do not hold',
      'CertificateRejected',
      (policy) => ({
        ...policy,
        stable: { ...policy.stable, certificate: { ...GOOD_CERTIFICATE, disagreements: 9 } },
      }),
    ],
    [
      'a lambda off the grid',
      'Invalid',
      (policy) => ({ ...policy, stable: { ...policy.stable, lambdaIndex: 120 } }),
    ],
    [
      'a head bundle that is not here',
      'HeadMissing',
      (policy) => ({ ...policy, stable: aTrack(`sha256:${'d'.repeat(64)}`) }),
    ],
    [
      'active exits that skip one',
      'ActiveExitsInvalid',
      (policy) => ({ ...policy, stable: { ...policy.stable, activeExits: ['late'] } }),
    ],
    [
      'an exit whose tensor has moved',
      'ExitMismatch',
      (policy) => ({
        ...policy,
        exits: [
          { name: 'early', tensor: 'cut_b', mode: 'Active' },
          { name: 'late', tensor: 'cut_a', mode: 'Active' },
        ],
      }),
    ],
  ];

  test.each(refusals)('%s: %s', async (_, reason, change) => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const changed = change(aPolicy({ revision: 2, stable: aTrack(stable) }));
    const body = typeof changed === 'string' ? changed : JSON.stringify(changed);
    const answer = await send(server.admin, '/v1/policy', { method: 'PUT', body });
    expect(answer.status).toBe(200);
    const acknowledgement = JSON.parse(answer.body.toString()) as {
      message: string;
      reason: string;
    };
    expect(acknowledgement).toMatchObject({ result: 'Rejected', reason, epoch: 1, revision: 1 });
    expect(acknowledgement.message.length).toBeGreaterThan(20);
    expect(await exitNow()).toBe('early');
    expect((await server.state()).acknowledgement).toMatchObject({
      result: 'Rejected',
      reason,
      revision: 1,
    });
  });

  test('a plan that the engine refuses', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    server.engine.prepareError = new EngineError(
      'KnownAnswerMismatch',
      'exit early gives class 1 for 0',
    );
    const other = await server.push(fakeBundle(3));
    expect(await server.apply(aPolicy({ revision: 2, stable: aTrack(other) }))).toMatchObject({
      result: 'Rejected',
      reason: 'KnownAnswerMismatch',
      revision: 1,
      headRevisions: [stable],
    });
    expect(await exitNow()).toBe('early');
  });

  test('a body above the cap is 413', async () => {
    const answer = await send(server.admin, '/v1/policy', {
      method: 'PUT',
      body: ' '.repeat(300_000),
    });
    expect(answer.status).toBe(413);
  });

  test('the next steps name the nearest tensors', async () => {
    const { message } = await server.apply(
      aPolicy({ exits: [{ name: 'odd', tensor: 'cut_aa', mode: 'Active' }] }),
    );
    expect(message).toMatch(/nearest are cut_a, cut_b/);
  });
});

describe('a candidate', () => {
  test('that is not here yet leaves share 0, and joins when it is pushed', async () => {
    const bundle = fakeBundle(3);
    const candidate = digestOf(encodeHeadBundle(bundle));
    const policy = aPolicy({ stable: aTrack(stable), candidate: aCandidate(candidate, 1) });
    expect(await server.apply(policy)).toMatchObject({
      result: 'Applied',
      reason: 'CandidateMissing',
      headRevisions: [stable],
    });
    expect((await server.ask([EASY])).parameters.layercache_track).toBe('stable');
    await server.push(bundle);
    expect((await server.ask([EASY])).parameters).toMatchObject({
      layercache_track: 'candidate',
      layercache_head_revision: candidate,
    });
    expect((await server.state()).acknowledgement).toMatchObject({
      result: 'Applied',
      reason: '',
      headRevisions: [stable, candidate],
    });
  });

  test('takes its share of requests', async () => {
    const candidate = await server.push(fakeBundle(3));
    await server.apply(aPolicy({ stable: aTrack(stable), candidate: aCandidate(candidate, 0.5) }));
    const tracks = await Promise.all(
      Array.from(
        { length: 400 },
        async () => (await server.ask([EASY])).parameters.layercache_track,
      ),
    );
    const share = tracks.filter((track) => track === 'candidate').length / 400;
    // Six standard errors.
    expect(Math.abs(share - 0.5)).toBeLessThan(0.15);
  });

  test('keeps a client on one track when the policy names a sticky header', async () => {
    const candidate = await server.push(fakeBundle(3));
    const sticky = { stickyHeader: 'X-User', stickyKey: 'key-1' };
    await server.apply(
      aPolicy({ stable: aTrack(stable), candidate: aCandidate(candidate, 0.5, sticky) }),
    );
    const trackOf = async (user: string) =>
      (await server.ask([EASY], {}, { 'x-user': user })).parameters.layercache_track;
    const seen = new Set<unknown>();
    for (const user of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']) {
      const first = await trackOf(user);
      seen.add(first);
      expect(await trackOf(user)).toBe(first);
    }
    expect(seen.size).toBe(2);
  });
});

describe('head bundles', () => {
  test('are stored once by their digest, listed, and dropped unless the policy names them', async () => {
    await server.apply(aPolicy({ stable: aTrack(stable) }));
    const other = fakeBundle(3);
    const bytes = encodeHeadBundle(other);
    const digest = digestOf(bytes);
    expect(
      (await send(server.admin, `/v1/heads/${digest}`, { method: 'PUT', body: bytes })).status,
    ).toBe(201);
    expect(
      (await send(server.admin, `/v1/heads/${digest}`, { method: 'PUT', body: bytes })).status,
    ).toBe(200);
    const list = await send(server.admin, '/v1/heads');
    expect(JSON.parse(list.body.toString())).toEqual({
      heads: [
        { headRevision: stable, sizeBytes: bytes.length, inUse: true },
        { headRevision: digest, sizeBytes: bytes.length, inUse: false },
      ],
    });
    expect((await send(server.admin, `/v1/heads/${stable}`, { method: 'DELETE' })).status).toBe(
      409,
    );
    expect((await send(server.admin, `/v1/heads/${digest}`, { method: 'DELETE' })).status).toBe(
      204,
    );
    expect(
      (await send(server.admin, '/v1/heads/../../etc/passwd', { method: 'DELETE' })).status,
    ).toBe(404);
    expect(
      (await send(server.admin, '/v1/heads/latest', { method: 'PUT', body: bytes })).status,
    ).toBe(404);
  });

  test.each([
    ['another digest', fakeBundle(3), (bytes: Uint8Array) => bytes.slice(0, -1), /its digest is/],
    [
      'another backbone',
      { ...fakeBundle(3), backboneDigest: `sha256:${'c'.repeat(64)}` },
      null,
      /was trained for backbone/,
    ],
    [
      'no cut of this backbone',
      {
        ...fakeBundle(3),
        heads: fakeBundle(3).heads.map((head) => ({ ...head, tensor: `${head.tensor ?? ''}_x` })),
      },
      null,
      /is no cut/,
    ],
    [
      'heads out of order',
      { ...fakeBundle(3), heads: fakeBundle(3).heads.toReversed() },
      null,
      /backbone order/,
    ],
  ])('%s is refused with the next step', async (_, bundle, change, message) => {
    const bytes = encodeHeadBundle(bundle);
    const body = change === null ? bytes : change(bytes);
    const answer = await send(server.admin, `/v1/heads/${digestOf(bytes)}`, {
      method: 'PUT',
      body,
    });
    expect(answer.body.toString()).toMatch(message);
    expect(answer.status).toBe(422);
    expect((await server.state()).heads.length).toBe(1);
  });
});

describe('a mounted directory', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'layercache-policy-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  function mount(version: string, policy: unknown, files: Record<string, Uint8Array> = {}): void {
    const target = join(dir, `..${version}`);
    mkdirSync(target);
    writeFileSync(join(target, 'policy.json'), JSON.stringify(policy));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(target, name), bytes);
    symlinkSync(target, join(dir, '..data.new'));
    renameSync(join(dir, '..data.new'), join(dir, '..data'));
  }

  test('is applied at boot, with the head bundles that lie in it', async () => {
    const bytes = encodeHeadBundle(fakeBundle(7));
    const headRevision = digestOf(bytes);
    mount('1', aPolicy({ stable: aTrack(headRevision) }), {
      [`${headRevision.slice(7)}.head`]: bytes,
    });
    const own = await startTestServer({ environment: { LAYERCACHE_POLICY_DIR: dir } });
    expect((await own.ask([EASY])).parameters).toMatchObject({
      layercache_exit: 'early',
      layercache_head_revision: headRevision,
    });
    await own.close();
  });

  test('that is refused leaves the backbone, and says so', async () => {
    mount('1', aPolicy({ model: 'other' }));
    const own = await startTestServer({ environment: { LAYERCACHE_POLICY_DIR: dir } });
    expect((await own.ask([EASY])).parameters.layercache_exit).toBe('backbone');
    expect((await own.state()).acknowledgement).toMatchObject({
      result: 'Rejected',
      reason: 'ModelMismatch',
      epoch: 0,
    });
    await own.close();
  });

  test('whose policy ended the process twice is skipped at the third start', async () => {
    mount('1', aPolicy({ epoch: 3, revision: 4 }));
    const cache = join(dir, 'cache');
    mkdirSync(cache);
    writeFileSync(
      join(cache, 'applying.json'),
      JSON.stringify({ epoch: 3, revision: 4, starts: 2 }),
    );
    const environment = { LAYERCACHE_POLICY_DIR: dir, LAYERCACHE_CACHE_DIR: cache };
    const own = await startTestServer({ environment });
    expect((await own.state()).acknowledgement).toMatchObject({
      result: 'Rejected',
      reason: 'PolicyCrashed',
    });
    expect((await own.ask([HARD])).parameters.layercache_exit).toBe('backbone');
    expect(await own.apply(aPolicy({ epoch: 3, revision: 5 }))).toMatchObject({
      result: 'Applied',
    });
    await own.close();
  });

  test('pushed bundles survive a restart in the cache directory', async () => {
    const environment = { LAYERCACHE_CACHE_DIR: join(dir, 'cache') };
    const first = await startTestServer({ environment });
    const headRevision = await first.push(fakeBundle(5));
    await first.close();
    const second = await startTestServer({ environment });
    expect(await second.apply(aPolicy({ stable: aTrack(headRevision) }))).toMatchObject({
      result: 'Applied',
    });
    await second.close();
  });
});

test('20 swaps under load: no error, and every answer is of exactly one snapshot', async () => {
  const revisions = [stable, await server.push(fakeBundle(3))];
  await server.apply(aPolicy({ stable: aTrack(stable) }));
  let isOver = false;
  const answers = Array.from({ length: 16 }, async () => {
    let count = 0;
    while (!isOver) {
      const answer = await server.ask([EASY]);
      const revision = Number(String(answer.parameters.layercache_policy).split('.')[1]);
      const isEven = revision % 2 === 0;
      expect(answer.parameters.layercache_head_revision).toBe(revisions[isEven ? 1 : 0]);
      expect(answer.outputs[0]?.data).toEqual([isEven ? 3 : 2, 0, 0]);
      count += 1;
    }
    return count;
  });
  for (let revision = 2; revision <= 21; revision++) {
    await server.apply(
      aPolicy({ revision, stable: aTrack(revisions[revision % 2 === 0 ? 1 : 0] ?? '') }),
    );
  }
  isOver = true;
  const total = (await Promise.all(answers)).reduce((sum, count) => sum + count, 0);
  expect(total).toBeGreaterThan(20);
  // Every plan but the last is released once no batch uses it.
  await expect.poll(() => server.engine.plans.size).toBe(1);
});
