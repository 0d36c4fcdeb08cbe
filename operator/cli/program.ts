import { Command } from 'commander';
import { benchCommand } from './bench-command.ts';
import { bundleCommand } from './bundle-command.ts';
import type { CliIo } from './cli-io.ts';
import { examples } from './cluster-command.ts';
import { completeCommand, completionCommand } from './completion-command.ts';
import { dashboardCommand } from './dashboard-command.ts';
import { doctorCommand } from './doctor-command.ts';
import { installEngineCommand } from './engines-command.ts';
import { evidenceCommand } from './evidence-command.ts';
import { exitsCommand } from './exits-command.ts';
import { explainCommand } from './explain-command.ts';
import { exportCommand } from './export-command.ts';
import { headsCommand } from './heads-command.ts';
import { initCommand } from './init-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { rolloutCommand } from './rollout-command.ts';
import { runCommand } from './run-command.ts';
import { serveCommand } from './serve-command.ts';
import { smokeCommand } from './smoke-command.ts';
import { statusCommand } from './status-command.ts';
import { topCommand } from './top-command.ts';
import { validateCommand } from './validate-command.ts';
import { VERSION } from '../version.ts';
import { versionCommand } from './version-command.ts';

/** Exit code that a finished command asks for; a thrown error decides otherwise. */
export interface Outcome {
  exitCode: number;
}

/** The whole command line. Heavy parts are imported by the actions, so that help and version answer at once. */
export function createProgram(io: CliIo, outcome: Outcome): Command {
  const program = new Command(io.programName ?? 'layercache')
    .description(
      'Early exits for a deployed neural network: trained from live traffic, certified, watched.',
    )
    .version(VERSION, '--version', 'print the version')
    .option('--debug', 'show stacks and the logs of child processes')
    .configureOutput({
      writeOut: io.stdout.write,
      writeErr: io.stderr.write,
      getOutHelpWidth: () => io.stdout.columns ?? 100,
    })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples(io, 'local run -f service.yaml --traffic npy:rows.npy', 'explain vision -n ml'),
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
  program.addCommand(inherit(program, initCommand(io)));
  program.addCommand(inherit(program, serveCommand(io, outcome)));
  program.addCommand(inherit(program, benchCommand(io, outcome)));
  program.addCommand(inherit(program, smokeCommand(io)));
  for (const command of clusterCommands(io, outcome)) program.addCommand(inherit(program, command));
  program.addCommand(inherit(program, versionCommand(io)));
  program.addCommand(
    inherit(
      program,
      completeCommand(io, () => program),
    ),
    { hidden: true },
  );
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

/** Those that ask a cluster, in the order in which people meet them. */
function clusterCommands(io: CliIo, outcome: Outcome): readonly Command[] {
  return [
    statusCommand(io),
    topCommand(io),
    dashboardCommand(io, outcome),
    explainCommand(io),
    evidenceCommand(io),
    rolloutCommand(io, outcome),
    exitsCommand(io, outcome),
    headsCommand(io, outcome),
    doctorCommand(io, outcome),
    bundleCommand(io),
    exportCommand(io),
    completionCommand(io),
  ];
}

/** Settings of the program, for the commands below a command too. */
function inherit(parent: Command, command: Command): Command {
  for (const below of command.commands) inherit(parent, below);
  return command.copyInheritedSettings(parent);
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
