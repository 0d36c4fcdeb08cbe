import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { CLI_ERRORS } from '../../../operator/errors.ts';
import { createProgram } from '../../../operator/cli/program.ts';

const HEAD = [
  '# Command line',
  '',
  'What `--help` prints, of every command. Compared by a test; written by',
  '`npx vitest run --config test/vitest.config.ts test/unit/docs/cli-reference.test.ts -u`.',
  '',
  'Exit codes: 0 ok, 1 failed, 2 usage or invalid input, 3 timed out or not ready, 4 ran but the answer is no, 130 interrupted. Results go to standard',
  'output, progress and errors to standard error. From a clone of the repository write `npx layercache` after `npm run build`.',
  '',
];

/** As on a terminal of 100 columns, with the examples that follow. */
function helpOf(words: readonly string[]): string {
  const said: string[] = [];
  const output = { write: (text: string) => void said.push(text), columns: 100 };
  const io = { bundleDir: '', stdout: output, stderr: output, isTerminal: false, environment: {} };
  const program = createProgram(io, { exitCode: 0 });
  const command = words.reduce<Command>(
    (parent, word) => parent.commands.find((one) => one.name() === word) ?? parent,
    program,
  );
  command.configureOutput({ writeOut: output.write, getOutHelpWidth: () => output.columns });
  command.outputHelp();
  return said.join('').trimEnd();
}

function commandsBelow(command: Command, words: readonly string[]): (readonly string[])[] {
  const shown = command.commands.filter((one) => !one.name().startsWith('__'));
  return shown.flatMap((one) => {
    const path = [...words, one.name()];
    return [path, ...commandsBelow(one, path)];
  });
}

test('the reference of the command line is what its help prints', async () => {
  const quiet = { write: () => undefined, columns: 100 };
  const io = { bundleDir: '', stdout: quiet, stderr: quiet, isTerminal: false, environment: {} };
  const paths = commandsBelow(createProgram(io, { exitCode: 0 }), []);
  const sections = [[], ...paths].flatMap((words) => [
    `## ${['layercache', ...words].join(' ')}`,
    '',
    '```text',
    helpOf(words),
    '```',
    '',
  ]);
  const page = [...HEAD, ...sections, ...errorTable()].join('\n');
  await expect(page).toMatchFileSnapshot('../../../charts/layercache/docs/cli.md');
});

/** Errors end with their code in brackets. */
function errorTable(): string[] {
  const rows = Object.entries(CLI_ERRORS).map(
    ([code, { exitCode, what, nextStep }]) =>
      `| \`${code}\` | ${exitCode} | ${what.replaceAll('|', '\\|')}. | ${nextStep.replaceAll('|', '\\|')} |`,
  );
  return [
    '## Errors',
    '',
    'An error says what is wrong, where and why, then what to do; it ends with its code. A code keeps its meaning.',
    '',
    '| code | exit code | meaning | what you do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ];
}
