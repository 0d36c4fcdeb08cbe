import { Command, Option } from 'commander';
import type { CliIo } from './cli-io.ts';
import { createInterrupt } from './interrupt.ts';

interface InspectFlags {
  readonly output: 'table' | 'json';
  readonly debug?: boolean;
}

/** `layercache inspect MODEL`: what the engine makes of a model. */
export function inspectCommand(io: CliIo): Command {
  return new Command('inspect')
    .description(
      'load a model and print its signature, its cut points, multiply-adds and measured time',
    )
    .argument(
      '<model>',
      'ONNX file, or model.json of a TensorFlow.js model, or its folder or that of a SavedModel',
    )
    .addOption(new Option('-o, --output <format>').choices(['table', 'json']).default('table'))
    .addHelpText('after', '\nExample:\n  layercache inspect model.onnx -o json')
    .action(async (model: string, _flags, command: Command) => {
      const flags = command.optsWithGlobals<InspectFlags>();
      const { inspectModel } = await import('../local/inspect-model.ts');
      const interrupt = createInterrupt();
      try {
        const lines = await inspectModel(model, flags.output, {
          ...io,
          debug: flags.debug === true,
          interrupt: interrupt.signal,
          onChild: interrupt.addChild,
        });
        io.stdout.write(`${lines.join('\n')}\n`);
      } finally {
        interrupt.close();
      }
    });
}
