import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { createHeadFiles } from '../../../../server/store/head-files.ts';
import { fakeReport } from '../../../support/fake-engine.ts';
import { digestOf, fakeBundle } from '../../../support/test-server.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-heads-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function files(more: Partial<Parameters<typeof createHeadFiles>[0]> = {}) {
  const problems: unknown[] = [];
  const heads = createHeadFiles({
    model: fakeReport().model,
    cacheDir: null,
    readDirs: [],
    isInUse: () => false,
    onDiskError: (error) => problems.push(error),
    ...more,
  });
  return { heads, problems };
}

const bytesOf = (mark: number) => encodeHeadBundle(fakeBundle(mark));

test('a bundle is found by its digest, and by nothing else', async () => {
  const { heads } = files();
  const digest = digestOf(bytesOf(2));
  expect(await heads.find(digest)).toBeNull();
  expect(await heads.put(digest, bytesOf(2))).toBe('Stored');
  expect(await heads.put(digest, bytesOf(2))).toBe('Existed');
  expect((await heads.find(digest))?.heads[0]?.temperature).toBe(2);
  expect(await heads.find('sha256:../../etc/passwd')).toBeNull();
});

test('every single-bit flip is refused and leaves nothing behind', async () => {
  const bytes = bytesOf(2);
  const digest = digestOf(bytes);
  const { heads } = files({ cacheDir: dir });
  for (let bit = 0; bit < bytes.length * 8; bit += 97) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await expect(heads.put(digest, flipped)).rejects.toThrow(/its digest is/);
  }
  expect(heads.list()).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
});

test('a bundle whose digest is right but whose content is not is refused', async () => {
  const { heads } = files();
  for (const bytes of [
    new Uint8Array(0),
    bytesOf(2).slice(0, 100),
    new TextEncoder().encode('{}'),
  ]) {
    await expect(heads.put(digestOf(bytes), bytes)).rejects.toThrow(/refused/);
  }
});

test.each([
  ['another class count', { classCount: 4 }, /classes/],
  ['another backbone', { digest: `sha256:${'c'.repeat(64)}` }, /was trained for backbone/],
  ['no such cut', { cuts: [] }, /no cut of this backbone/],
  [
    'another width',
    { cuts: fakeReport().model.cuts.map((cut) => ({ ...cut, channels: 3 })) },
    /takes 2 features/,
  ],
  [
    'a map smaller than the pool',
    { cuts: fakeReport().model.cuts.map((cut) => ({ ...cut, height: 0 })) },
    /pools to 1/,
  ],
])('%s is refused, never broadcast', async (_, change, message) => {
  const { heads } = files({ model: { ...fakeReport().model, ...change } });
  await expect(heads.put(digestOf(bytesOf(2)), bytesOf(2))).rejects.toThrow(message);
});

test('the stable bundle of a mounted policy is found by the digest of its bytes; another one there is no damage', async () => {
  writeFileSync(join(dir, 'stable.bundle'), bytesOf(2));
  const { heads, problems } = files({ readDirs: [dir] });
  expect(await heads.find(digestOf(bytesOf(3)))).toBeNull();
  expect(problems).toEqual([]);
  expect((await heads.find(digestOf(bytesOf(2))))?.heads[0]?.temperature).toBe(2);
});

describe('the cache directory', () => {
  test('gives a bundle back after a restart, and checks it again', async () => {
    const digest = digestOf(bytesOf(2));
    await files({ cacheDir: dir }).heads.put(digest, bytesOf(2));
    const [name] = readdirSync(join(dir, 'heads'));
    expect(name).toBe(`${digest.slice(7)}.head`);
    expect(await files({ cacheDir: dir }).heads.find(digest)).not.toBeNull();
    writeFileSync(join(dir, 'heads', name!), bytesOf(3));
    const damaged = files({ cacheDir: dir });
    expect(await damaged.heads.find(digest)).toBeNull();
    expect(damaged.problems).toHaveLength(1);
  });

  test('that cannot be written costs durability, not the bundle', async () => {
    writeFileSync(join(dir, 'file'), '');
    const { heads, problems } = files({ cacheDir: join(dir, 'file') });
    const digest = digestOf(bytesOf(2));
    expect(await heads.put(digest, bytesOf(2))).toBe('Stored');
    expect(await heads.find(digest)).not.toBeNull();
    expect(problems).toHaveLength(1);
  });

  test('loses what is removed', async () => {
    const { heads } = files({ cacheDir: dir });
    const digest = digestOf(bytesOf(2));
    await heads.put(digest, bytesOf(2));
    await heads.remove(digest);
    expect(await heads.find(digest)).toBeNull();
  });
});

test('at most 32 bundles are kept; those in use stay', async () => {
  const first = digestOf(bytesOf(1));
  const { heads } = files({ isInUse: (digest) => digest === first });
  for (let mark = 1; mark <= 35; mark++) await heads.put(digestOf(bytesOf(mark)), bytesOf(mark));
  const kept = heads.list().map(({ headRevision }) => headRevision);
  expect(kept).toHaveLength(32);
  expect(kept).toContain(first);
  expect(kept).not.toContain(digestOf(bytesOf(2)));
});
