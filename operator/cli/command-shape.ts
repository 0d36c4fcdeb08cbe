import type { Command } from 'commander';
import type { CommandShape } from '../commands/completion/complete.ts';

/** The command line as completion sees it. Flags of the program may stand after every command. */
export function shapeOf(command: Command, inherited: CommandShape['flags'] = []): CommandShape {
  const own = command.options.map((option) => ({
    names: [option.long, option.short].filter((name) => name !== undefined),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }));
  const help = { names: ['--help', '-h'], takesValue: false, choices: [] };
  const flags = [...own, ...inherited];
  return {
    name: command.name(),
    commands: command.commands
      .filter((below) => !below.name().startsWith('__'))
      .map((below) => shapeOf(below, flags)),
    flags: [...flags, ...(inherited.length === 0 ? [help] : [])],
    operands: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      choices: argument.argChoices ?? [],
    })),
  };
}
