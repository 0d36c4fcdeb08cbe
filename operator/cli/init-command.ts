import { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { examples } from './cluster-command.ts';
import { createInterrupt } from './interrupt.ts';

interface InitFlags {
  readonly model: string;
  readonly name?: string;
  readonly budget: string;
  readonly debug?: boolean;
}

/** `layercache init --model MODEL`: a manifest to start from. */
export function initCommand(io: CliIo): Command {
  return new Command('init')
    .description(
      'load a model, propose exits where it can be cut, and print a manifest; a model that cannot be cut says why',
    )
    .requiredOption(
      '--model <model>',
      'ONNX file, or folder or model.json of a TensorFlow.js model, or folder of a SavedModel',
    )
    .option('--name <name>', 'of the service; else after the file')
    .option('--budget <percent>', 'largest share of answers unlike the backbone', '1%')
    .addHelpText('after', examples(io, 'init --model model.onnx > service.yaml'))
    .action(async (_flags, command: Command) => {
      const { model, name, budget, debug } = command.optsWithGlobals<InitFlags>();
      const { measureModel } = await import('../local/inspect-model.ts');
      const { manifestText } = await import('../commands/init/manifest-text.ts');
      const { modelNameOf } = await import('../commands/init/model-name.ts');
      const { nextSteps } = await import('../commands/init/next-steps.ts');
      const { checkManifests } = await import('../../crds/schema/check-manifests.ts');
      const { formatProblems } = await import('../../crds/schema/manifest-problem.ts');
      const interrupt = createInterrupt();
      try {
        io.stderr.write(`Loading ${model} and measuring it ...\n`);
        const state = await measureModel(model, {
          ...io,
          debug: debug === true,
          interrupt: interrupt.signal,
          onChild: interrupt.addChild,
        });
        const uri = model.startsWith('file:') ? model : `file:${model}`;
        const text = manifestText({
          name: name ?? modelNameOf(model),
          uri,
          maxDisagreement: budget,
          state,
        });
        const { problems } = checkManifests(text, 'the manifest');
        io.stdout.write(text);
        if (problems.length > 0) {
          const { CliError } = await import('../errors.ts');
          io.stderr.write(formatProblems(problems, 'the manifest'));
          throw new CliError('InvalidSpec', {
            where: '--name or --budget',
            why: 'the manifest would be refused as above.',
            nextStep: 'Write a name of a-z, 0-9 and "-", and a budget such as 1%.',
          });
        }
        io.stderr.write([...nextSteps(state), ''].join('\n'));
      } finally {
        interrupt.close();
      }
    });
}
