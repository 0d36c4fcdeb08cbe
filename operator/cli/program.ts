import { Command } from 'commander';
import { VERSION } from '../version.ts';
import type { CliIo } from './cli-io.ts';
import { installEngineCommand } from './engines-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { runCommand } from './run-command.ts';
import { smokeCommand } from './smoke-command.ts';
import { validateCommand } from './validate-command.ts';

/** Exit code that a finished command asks for; a thrown error decides otherwise. */
export interface Outcome {
  exitCode: number;
}

/** The whole command line. Heavy parts are imported by the actions, so that help and version answer at once. */
export function createProgram(io: CliIo, outcome: Outcome): Command {
  const program = new Command('layercache')
    .description(
      'Early exits for a deployed neural network: trained from live traffic, certified, watched.',
    )
    .option('--debug', 'show stacks and the logs of child processes')
    .configureOutput({
      writeOut: io.stdout.write,
      writeErr: io.stderr.write,
      getOutHelpWidth: () => io.stdout.columns ?? 100,
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExample:\n  layercache local run -f service.yaml --traffic npy:rows.npy',
    );
  const local = program
    .command('local')
    .description('everything on this machine, without a cluster');
  local.addCommand(inherit(program, runCommand(io, outcome)));
  const engines = program
    .command('engines')
    .description('engines that are not part of this package');
  engines.addCommand(inherit(program, installEngineCommand(io, outcome)));
  program.addCommand(inherit(program, validateCommand(io, outcome)));
  program.addCommand(inherit(program, inspectCommand(io)));
  program.addCommand(inherit(program, smokeCommand(io)));
  program
    .command('version')
    .description('print the version')
    .addHelpText('after', '\nExample:\n  layercache version')
    .action(() => {
      io.stdout.write(`${VERSION}\n`);
    });
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function inherit(parent: Command, command: Command): Command {
  return command.copyInheritedSettings(parent);
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
