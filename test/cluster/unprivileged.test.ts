// A whole file of cluster tests in a run of its own, by a user who may nothing.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { whyUnavailable } from '../support/control-plane.ts';
import { cacheFolder } from './harness/cache-folder.ts';
import { runCommand } from './harness/run-command.ts';

const unavailable = await whyUnavailable('control-plane');
// Whoever is no privileged user runs everything in this way already.
const isRoot = process.getuid?.() === 0;

const NOBODY = 65_534;
const ID = String(NOBODY);

/** This clone and the cache may lie where only root may go: they are mounted elsewhere, for this run alone. */
const SCRIPT = `
set -e
mount --make-rprivate /
mount --bind "$1" "$3/checkout"
mount --bind "$2" "$3/cache"
cd "$3/checkout"
exec setpriv --reuid ${ID} --regid ${ID} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- \\
  setpriv --pdeathsig KILL -- env -i PATH="$PATH" HOME="$3/home" TMPDIR="$3/home" LAYERCACHE_TEST_CLUSTER_CACHE="$3/cache" \\
  "$4" node_modules/vitest/vitest.mjs run --config test/vitest.config.ts --configLoader runner \\
  test/cluster/cluster.test.ts test/cluster/node.test.ts
`;

test.skipIf(unavailable !== null || !isRoot)(
  'an unprivileged user gets a control plane and its tests; a node is skipped, and says that it needs root',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-nobody-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    chmodSync(folder, 0o755);
    for (const name of ['checkout', 'cache', 'home']) mkdirSync(join(folder, name));
    chownSync(join(folder, 'home'), NOBODY, NOBODY);
    const { code, stdout, stderr } = await runCommand(
      'unshare',
      [
        ...['--mount', 'bash', '-c', SCRIPT, 'nobody'],
        ...[process.cwd(), cacheFolder(), folder, process.execPath],
      ],
      { deadlineMs: 150_000 },
    );
    expect(code, `${stdout}\n${stderr}`).toBe(0);
    expect(stderr).toContain('that need the node tier: a node with real pods needs root');
    expect(stdout).toMatch(/test\/cluster\/node\.test\.ts .*skipped/);
    const verdict = stdout.trimEnd().split('\n').at(-1);
    expect(verdict).toMatch(/^[1-9]\d* passed, 0 failed, [1-9]\d* skipped$/);
  },
  160_000,
);
