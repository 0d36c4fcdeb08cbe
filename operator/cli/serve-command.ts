import { Command } from 'commander';
import { CliError } from '../errors.ts';
import type { CliIo } from './cli-io.ts';
import { examples } from './cluster-command.ts';
import { createInterrupt, INTERRUPTED } from './interrupt.ts';
import { wholeNumber } from './parse-flags.ts';
import type { Outcome } from './program.ts';

interface ServeFlags {
  readonly name?: string;
  readonly port: number;
  readonly engine: string;
  readonly output?: string;
  readonly debug?: boolean;
}

/** `layercache serve MODEL`: one server on loopback, the backbone alone. */
export function serveCommand(io: CliIo, outcome: Outcome): Command {
  return new Command('serve')
    .description(
      'serve a model on loopback with the V1 and V2 protocols until Ctrl-C: the backbone alone, without exits',
    )
    .argument(
      '<model>',
      'ONNX file, or folder or model.json of a TensorFlow.js model, or folder of a SavedModel',
    )
    .option('--name <name>', 'of the model in paths; else after the file')
    .option('--port <port>', 'of requests; 0 is a free one', wholeNumber(0, 65_535), 8080)
    .option('--engine <engine>', 'engine as the API spells it', 'Auto')
    .option('--output <name>', 'output with the class scores, where there are several')
    .addHelpText('after', examples(io, 'serve model.onnx --port 8080'))
    .action(async (model: string, _flags, command: Command) => {
      const flags = command.optsWithGlobals<ServeFlags>();
      const { serveModel } = await import('../commands/serve/serve-model.ts');
      const { modelNameOf } = await import('../commands/init/model-name.ts');
      const interrupt = createInterrupt();
      const name = flags.name ?? modelNameOf(model);
      const options = {
        model,
        name,
        port: flags.port,
        engine: flags.engine,
        outputName: flags.output ?? null,
      };
      const run = {
        ...io,
        debug: flags.debug === true,
        interrupt: interrupt.signal,
        onChild: interrupt.addChild,
      };
      try {
        const end = await serveModel(options, run, ({ data, metrics }) => {
          io.stdout.write(`${data}/v2/models/${name}/infer\n`);
          io.stderr.write(`Serving ${model} until Ctrl-C; metrics at ${metrics}/metrics\n`);
        });
        if (end === 'Ended') {
          throw new CliError('ServerFailed', { where: model, why: 'the server ended by itself.' });
        }
        outcome.exitCode = INTERRUPTED;
      } finally {
        interrupt.close();
      }
    });
}
