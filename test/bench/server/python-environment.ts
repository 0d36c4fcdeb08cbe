import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { cacheBase } from '../../support/cache-base.ts';

export type PythonEnvironment =
  | { readonly ok: true; readonly python: string; readonly bin: string }
  /** One sentence. */
  | { readonly ok: false; readonly why: string };

/**
 * A virtual environment with these packages, outside every clone; built when it is missing, which takes minutes and PyPI. Its folder
 * names its contents, so other pins are another environment.
 */
export function pythonEnvironment(
  name: string,
  requirements: readonly string[],
): PythonEnvironment {
  const pins = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
  const dir = join(cacheBase(), 'bench-peers', `${name}-${pins}`);
  const bin = join(dir, 'bin');
  const environment = { ok: true, bin, python: join(bin, 'python') } as const;
  const complete = join(dir, 'complete');
  if (existsSync(complete)) return environment;
  process.stdout.write(`building the Python environment of ${name} in ${dir}\n`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const why =
    run('python3', ['-m', 'venv', dir]) ??
    run(environment.python, ['-m', 'pip', 'install', '--quiet', '--no-input', ...requirements]);
  if (why !== null) return { ok: false, why };
  writeFileSync(complete, `${requirements.join('\n')}\n`);
  return environment;
}

/** Null, or why it failed. */
function run(command: string, args: readonly string[]): string | null {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) return `${basename(command)} cannot be started (${error.message})`;
  if (status === 0) return null;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return `${basename(command)} ${args.slice(0, 3).join(' ')} ended with ${String(status)}: ${last}`;
}
