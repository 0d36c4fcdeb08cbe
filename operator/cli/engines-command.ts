import { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { createInterrupt, INTERRUPTED } from './interrupt.ts';

interface InstallFlags {
  readonly wheel?: string;
  readonly from?: string;
  readonly again?: boolean;
}

/** `layercache engines install`: what does not come with the package. */
export function installEngineCommand(io: CliIo, outcome: { exitCode: number }): Command {
  return new Command('install')
    .description(
      'build the engine tfjs-node (native TensorFlow, for graph models of TensorFlow.js and flat SavedModels) from the ' +
        'tensorflow-cpu wheel, in LAYERCACHE_ENGINES_DIR or ~/.cache/layercache/engines; ' +
        'needs Linux on x64, python3 with pip, npm and a C++ compiler',
    )
    .option('--wheel <file>', 'the wheel, where pip cannot fetch it')
    .option(
      '--from <folder>',
      'take an installed package @tensorflow/tfjs-node, whose own script has fetched its library, instead of building',
    )
    .option('--again', 'also when it is installed')
    .addHelpText('after', '\nExample:\n  layercache engines install')
    .action(async ({ wheel, from, again = false }: InstallFlags) => {
      const { installTensorFlow } = await import('../engines/install-tensorflow.ts');
      const interrupt = createInterrupt();
      try {
        const { folder, wasThere } = await installTensorFlow({
          wheel: wheel ?? null,
          from: from ?? null,
          again,
          environment: io.environment,
          interrupt: interrupt.signal,
          print: (line) => {
            io.stderr.write(`${line}\n`);
          },
        });
        const how = wasThere ? 'is installed already' : 'is installed';
        io.stdout.write(`tfjs-node ${how}: ${folder}\n`);
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        io.stderr.write('Interrupted; nothing was changed.\n');
        outcome.exitCode = INTERRUPTED;
      } finally {
        interrupt.close();
      }
    });
}
