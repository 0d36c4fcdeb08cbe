import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  EASY,
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  startTestServer,
} from '../../support/test-server.ts';

/** A file system of its own, until the test ends. */
function mountTmpfs(options: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-disk-'));
  onTestFinished(() => {
    spawnSync('umount', [dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]);
  if (status !== 0) throw new Error(stderr.toString());
  return dir;
}

/** Tried in a name space of its own, where nothing stays mounted. */
const mayMount =
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0;

/** Names of files in the cache that are not whole: temporary ones, or with other bytes than their name says. */
function damaged(dir: string): string[] {
  const heads = join(dir, 'heads');
  if (!existsSync(heads)) return [];
  return readdirSync(heads).filter(
    (name) => digestOf(readFileSync(join(heads, name))) !== `sha256:${name.replace('.head', '')}`,
  );
}

describe.skipIf(!mayMount)('a cache directory on a disk (needs the right to mount) that', () => {
  test.each([
    ['is full', 'size=16k'],
    ['may only be read', 'ro'],
  ])(
    '%s costs durability alone: heads are served from memory, and it is told',
    async (_, options) => {
      const dir = mountTmpfs(options);
      const lines: string[] = [];
      const server = await startTestServer({
        environment: { LAYERCACHE_CACHE_DIR: dir },
        log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
      });
      onTestFinished(() => server.close());
      let last = '';
      for (let mark = 2; mark < 12; mark += 1) last = await server.push(fakeBundle(mark));
      expect(await server.apply(aPolicy({ stable: aTrack(last) }))).toMatchObject({
        result: 'Applied',
        reason: '',
      });
      expect((await server.ask([EASY])).parameters.layercache_head_revision).toBe(last);
      expect(lines.some((line) => line.includes('"disk failed"'))).toBe(true);
      expect(damaged(dir)).toEqual([]);
    },
  );
});
