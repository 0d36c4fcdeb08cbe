import { readFileSync } from 'node:fs';
import { CommanderError, type Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CliIo } from '../../../../operator/cli/cli-io.ts';
import {
  driftFlag,
  driftStrength,
  killFlag,
  slowFlag,
} from '../../../../operator/cli/parse-drills.ts';
import { duration, rate, wholeNumber } from '../../../../operator/cli/parse-flags.ts';
import { printError } from '../../../../operator/cli/print-error.ts';
import { createProgram } from '../../../../operator/cli/program.ts';
import { CLI_ERRORS, CliError, type CliErrorCode } from '../../../../operator/errors.ts';
import { VERSION } from '../../../../operator/version.ts';
import { runCli, type CliResult } from '../../../support/run-cli.ts';
import { temporaryFile } from '../local/traffic/files.ts';

function cli(...words: string[]): Promise<CliResult> {
  return runCli('', words, { environment: {} });
}

test('the version is the one of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
  expect(await cli('version')).toEqual({ out: `${version}\n`, err: '', exitCode: 0 });
});

describe('help', () => {
  test.each([
    ['layercache', ['--help']],
    ['layercache-local-run', ['local', 'run', '--help']],
    ['layercache-validate', ['validate', '--help']],
    ['layercache-inspect', ['inspect', '--help']],
    ['layercache-engines-install', ['engines', 'install', '--help']],
    ['layercache-smoke', ['smoke', '--help']],
    ['layercache-version', ['version', '--help']],
    ['layercache-status', ['status', '--help']],
    ['layercache-top', ['top', '--help']],
    ['layercache-dashboard', ['dashboard', '--help']],
    ['layercache-explain', ['explain', '--help']],
    ['layercache-evidence', ['evidence', '--help']],
    ['layercache-rollout-status', ['rollout', 'status', '--help']],
    ['layercache-rollout-pause', ['rollout', 'pause', '--help']],
    ['layercache-rollout-resume', ['rollout', 'resume', '--help']],
    ['layercache-rollout-promote', ['rollout', 'promote', '--help']],
    ['layercache-rollout-abort', ['rollout', 'abort', '--help']],
    ['layercache-exits-off', ['exits', 'off', '--help']],
    ['layercache-exits-on', ['exits', 'on', '--help']],
    ['layercache-heads-list', ['heads', 'list', '--help']],
    ['layercache-heads-verify', ['heads', 'verify', '--help']],
    ['layercache-heads-diff', ['heads', 'diff', '--help']],
    ['layercache-heads-pull', ['heads', 'pull', '--help']],
    ['layercache-heads-push', ['heads', 'push', '--help']],
    ['layercache-doctor', ['doctor', '--help']],
    ['layercache-bundle', ['bundle', '--help']],
    ['layercache-export', ['export', '--help']],
    ['layercache-completion', ['completion', '--help']],
    ['layercache-init', ['init', '--help']],
    ['layercache-serve', ['serve', '--help']],
    ['layercache-bench', ['bench', '--help']],
  ])('of %s has an example', async (name, words) => {
    const { out, exitCode } = await cli(...words);
    expect(exitCode).toBe(0);
    expect(out).toContain('Example');
    await expect(out).toMatchFileSnapshot(`../../../golden/help/${name}.txt`);
  });
});

test('as a plugin of kubectl the program goes by that name in usage and examples', async () => {
  const said: string[] = [];
  const output = { write: (text: string) => void said.push(text), columns: 100 };
  const io = { bundleDir: '', stdout: output, stderr: output, isTerminal: false, environment: {} };
  const program = createProgram({ ...io, programName: 'kubectl layercache' }, { exitCode: 0 });
  await program.parseAsync(['status', '--help'], { from: 'user' }).catch(() => undefined);
  expect(said.join('')).toContain('Usage: kubectl layercache status [options] <name>');
  expect(said.join('')).toContain('  kubectl layercache status vision');
  expect(said.join('')).not.toMatch(/^ *layercache /m);
});

test('every command that does something has an example', () => {
  const io = {
    bundleDir: '',
    stdout: { write: () => undefined, columns: 100 },
    stderr: { write: () => undefined, columns: 100 },
    isTerminal: false,
    environment: {},
  };
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap((below) => leaves(below));
  for (const command of leaves(createProgram(io, { exitCode: 0 }))) {
    if (command.name().startsWith('__')) continue;
    let text = '';
    command.configureOutput({ writeOut: (part) => void (text += part) });
    command.outputHelp();
    expect(text, command.name()).toContain('Example');
  }
});

describe('a command line that is not understood', () => {
  test.each([
    [['valdate'], 'Did you mean validate?'],
    [['local', 'run', '--trafic', 'x'], 'Did you mean --traffic?'],
    [['local', 'run', '-f', 'x.yaml'], "required option '--traffic <source>' not specified"],
    [
      ['local', 'run', '-f', 'x', '--traffic', 'y', '--seed', 'one'],
      'Write a whole number from 0 to 999999999.',
    ],
    [
      ['local', 'run', '-f', 'x', '--traffic', 'y', '--rate', '-1'],
      'Write rows per second, for example 50, or max.',
    ],
    [
      ['local', 'run', '-f', 'x', '--traffic', 'y', '--for', '5'],
      'Write a duration, for example 90s or 5m.',
    ],
    [
      ['local', 'run', '-f', 'x', '--traffic', 'y', '--engine', 'TFJSGPU'],
      'Write --engine ONNX, TFJSNode or TFJSWASM, or leave the flag out.',
    ],
    ...[
      ['--drift', 'fog@9', 'Write noise, blur, rotation or classes, then @ and the request'],
      ['--drift', 'blur', 'Write noise, blur, rotation or classes, then @ and the request'],
      ['--drift', 'blur@0', 'Write noise, blur, rotation or classes, then @ and the request'],
      ['--drift', 'blur@9@9', 'Write noise, blur, rotation or classes, then @ and the request'],
      ['--drift-strength', '0', 'Write a number above 0, for example 0.2.'],
      [
        '--drift-strength',
        '0.2',
        'it belongs to a drift, and there is none. Write --drift KIND@N too.',
      ],
      ['--kill', 'all@9', 'Write host or server, then @ and the request at which it is killed'],
      ['--kill', 'host@', 'Write host or server, then @ and the request at which it is killed'],
      ['--slow', '9s@9', 'Write a pause of at most 2s, then @ and the request it begins with'],
      ['--slow', '9@9', 'Write a pause of at most 2s, then @ and the request it begins with'],
    ].map(([flag = '', value = '', hint = '']): [string[], string] => [
      ['local', 'run', '-f', 'x', '--traffic', 'y', flag, value],
      hint,
    ]),
    [
      ['local', 'run', '-f', 'x', '--traffic', 'y', '--drift', 'blur@9', '--drift-strength', '2'],
      'for blur it is at most 0.5. Write less, or leave it out for',
    ],
    [['inspect'], "missing required argument 'model'"],
  ])('%j ends with 2 and says what to write', async (words, hint) => {
    const { err, exitCode } = await cli(...words);
    expect(exitCode).toBe(2);
    expect(err).toContain(hint);
  });
});

describe('validate', () => {
  test('accepts the bundled example', async () => {
    const file = 'server/examples/fashion-mnist/service.yaml';
    expect(await cli('validate', '-f', file)).toEqual({
      out: `${file}: CachedModelService fashion is valid\n`,
      err: '',
      exitCode: 0,
    });
  });

  test('says every problem with its line, and ends with 2', async () => {
    const file = temporaryFile(
      'svc.yaml',
      'apiVersion: layercache.io/v1alpha1\nkind: CachedModelService\nmetadata: {name: x}\nspec:\n  backbone: {url: "file:m.onnx"}\n  accuracy: {maxDisagreement: 0.01}\n',
    );
    const { err, exitCode } = await cli('validate', '-f', file);
    expect(exitCode).toBe(2);
    expect(err).toContain(`${file}:5:`);
    expect(err).toContain(`${file}:6:`);
  });

  test('reads files of both kinds, and says of each object that it is valid', async () => {
    const files = ['crds/samples/own-heads.yaml', 'crds/samples/own-heads-revision.yaml'] as const;
    const both = `${files[0]}: CachedModelService own-heads is valid\n${files[1]}: CacheHeadRevision own-heads-3f2a9c1b77d0 is valid\n`;
    expect(await cli('validate', '-f', ...files)).toEqual({ out: both, err: '', exitCode: 0 });
    expect((await cli('validate', '-f', files[0], '-f', files[1])).out).toBe(both);
  });

  test('prints paragraphs for what is wrong and lines for what is not, and ends with 2', async () => {
    const { out, err, exitCode } = await cli('validate', '-f', 'test/golden/crds/bad-objects.yaml');
    expect(exitCode).toBe(2);
    expect(out).toBe('test/golden/crds/bad-objects.yaml: CachedModelService right is valid\n');
    expect(err.split('\n')[0]).toBe(
      'test/golden/crds/bad-objects.yaml:27: ConfigMap vision-heads is not checked: it is not of layercache.io',
    );
    expect(err).toContain(readFileSync('test/golden/crds/bad-objects.txt', 'utf8').split('\n')[1]);
  });

  test('says nothing of fields that only a cluster uses', async () => {
    expect((await cli('validate', '-f', 'crds/samples/full.yaml')).err).toBe('');
  });

  test('of a missing file ends with 2, before any other is judged', async () => {
    const words = ['-f', 'crds/samples/full.yaml', '/nowhere/x.yaml'];
    const { out, err, exitCode } = await cli('validate', ...words);
    expect([out, exitCode]).toEqual(['', 2]);
    expect(err).toContain('The manifest cannot be read (/nowhere/x.yaml)');
  });
});

describe('flag values', () => {
  test('of drills are parsed to what they do and when', () => {
    expect(driftFlag('noise@15000')).toEqual({ kind: 'noise', fromRequest: 15_000 });
    expect(driftStrength('0.25')).toBe(0.25);
    expect(killFlag('server@7')).toEqual({ target: 'server', atRequest: 7 });
    expect(slowFlag('20ms@7')).toEqual({ pauseMs: 20, fromRequest: 7 });
  });

  test('are parsed to base units', () => {
    expect([duration('90s'), rate('2.5'), rate('max'), wholeNumber(1, 10)('7')]).toEqual([
      90_000,
      2.5,
      null,
      7,
    ]);
  });

  test.each(['0', '11', '1.5', ''])('%s is no whole number from 1 to 10', (text) => {
    expect(() => wholeNumber(1, 10)(text)).toThrow('Write a whole number from 1 to 10.');
  });
});

describe('errors', () => {
  const io = (written: string[]): CliIo => ({
    bundleDir: '',
    stdout: { write: () => undefined, columns: 80 },
    stderr: { write: (text) => written.push(text), columns: 80 },
    isTerminal: false,
    environment: {},
  });

  test('print what, where, why, the next step and the code, without a stack', () => {
    const written: string[] = [];
    const error = new CliError('PortInUse', {
      where: '--port 8080',
      why: 'another process listens on it.',
    });
    expect(printError(error, io(written), false)).toBe(1);
    expect(written).toEqual([
      'The port is in use (--port 8080): another process listens on it. Stop the other process, or leave --port out for a free one. [PortInUse]\n',
    ]);
  });

  test('show stack and cause with --debug only', () => {
    const written: string[] = [];
    const error = new CliError('ServerFailed', { why: 'it ended.', cause: new Error('the cause') });
    printError(error, io(written), true);
    expect(written.join('')).toContain('cli.test.ts');
    expect(written.join('')).toContain('caused by: Error: the cause');
  });

  test('that nobody expected ask for a report and give 1', () => {
    const written: string[] = [];
    expect(printError(new TypeError('x is not a function'), io(written), false)).toBe(1);
    expect(printError('text', io(written), true)).toBe(1);
    expect(written[0]).toBe(
      'Something went wrong inside layercache: x is not a function. Run again with --debug and report what it prints.\n',
    );
  });

  test('of commander were printed already', () => {
    const written: string[] = [];
    expect(printError(new CommanderError(0, 'commander.help', ''), io(written), false)).toBe(0);
    expect(printError(new CommanderError(1, 'commander.x', ''), io(written), false)).toBe(2);
    expect(written).toEqual([]);
  });

  test('of the catalogue keep their code, exit code and words', async () => {
    const lines = (Object.keys(CLI_ERRORS) as CliErrorCode[]).map((code) => {
      const { exitCode } = CLI_ERRORS[code];
      return `${exitCode}  ${new CliError(code, { where: 'WHERE', why: 'WHY.' }).message}`;
    });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../../golden/cli-errors.txt');
  });
});
