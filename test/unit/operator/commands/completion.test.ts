import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { shapeOf } from '../../../../operator/cli/command-shape.ts';
import { createProgram } from '../../../../operator/cli/program.ts';
import { complete } from '../../../../operator/commands/completion/complete.ts';
import { completionScript } from '../../../../operator/commands/completion/scripts.ts';

const quiet = { write: () => undefined, columns: 100 };
const io = { bundleDir: '', stdout: quiet, stderr: quiet, isTerminal: false, environment: {} };
const shape = shapeOf(createProgram(io, { exitCode: 0 }));
const after = (...typed: string[]) => complete(shape, typed);

describe('completion', () => {
  test('begins with the commands, and never shows what is hidden', () => {
    const { words } = after('');
    expect(words).toContain('status');
    expect(words).toContain('rollout');
    expect(words).not.toContain('__complete');
  });

  test('goes on with commands below, names of services, and flags', () => {
    expect(after('rollout', 'p').words).toEqual(['pause', 'promote']);
    expect(after('rollout', 'abort', '')).toEqual({ words: [], wants: 'Service' });
    expect(after('status', '--cont').words).toEqual(['--context']);
  });

  test('offers the values of a flag that has a closed list', () => {
    expect(after('status', 'vision', '-o', '').words).toEqual([
      'json',
      'name',
      'table',
      'wide',
      'yaml',
    ]);
    expect(after('top', '--output', 'w').words).toEqual(['wide']);
  });

  test('knows that a flag takes the next word, and that one with = does not', () => {
    expect(after('status', '-n', 'ml', '').wants).toBe('Service');
    expect(after('status', '--namespace=ml', '').wants).toBe('Service');
    expect(after('status', '-n', '').wants).toBeNull();
  });

  test('asks for files where files belong', () => {
    expect(after('heads', 'verify', '').wants).toBe('File');
    expect(after('export', 'da').words).toEqual(['dashboards']);
    expect(after('validate', '-f', '').wants).toBe('File');
  });
});

test('the script for bash is one that bash reads', () => {
  execFileSync('bash', ['-n'], { input: completionScript('bash') });
});
