import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheBase } from '../../support/cache-base.ts';

const REQUIREMENTS = new URL('requirements.txt', import.meta.url).pathname;

const python = spawnSync('python3', ['-c', 'import sys, venv, ensurepip; print(sys.version)'], {
  encoding: 'utf8',
});

/** Why no client of Python can run here; null where Python is. Said aloud once: a skipped check must not look like a passed one. */
export const pythonMissing: string | null =
  python.status === 0
    ? null
    : 'python3 with its venv module is missing: Debian has it in the package python3-venv';

if (pythonMissing !== null) process.stderr.write(`SKIPPED: ${pythonMissing}\n`);

/**
 * The interpreter of a virtual environment with the clients in it. It lies in the cache folder, outside the clone, under a hash of what
 * is installed; the first time takes about a minute and the package index.
 */
export function pythonWithClients(): string {
  const hash = createHash('sha256').update(python.stdout).update(readFileSync(REQUIREMENTS));
  const cache = join(cacheBase(), 'test-clients');
  const folder = join(cache, hash.digest('hex').slice(0, 12));
  const interpreter = join(folder, 'bin', 'python');
  if (existsSync(interpreter)) return interpreter;
  mkdirSync(cache, { recursive: true });
  // Made beside and moved, so that one that was cut off is never taken for whole.
  const made = `${folder}.${process.pid}`;
  run('python3', ['-m', 'venv', made]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(join(made, 'bin', 'python'), [...pip, '--requirement', REQUIREMENTS]);
  try {
    renameSync(made, folder);
  } catch {
    // Another run was faster.
    rmSync(made, { recursive: true, force: true });
  }
  return interpreter;
}

function run(program: string, arguments_: readonly string[]): void {
  const { status, stderr } = spawnSync(program, arguments_, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${arguments_.join(' ')}: ${stderr}`);
}
