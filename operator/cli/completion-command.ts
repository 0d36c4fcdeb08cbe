import { Argument, Command } from 'commander';
import type { Shell } from '../commands/completion/scripts.ts';
import type { CliIo } from './cli-io.ts';
import { askCluster, examples } from './cluster-command.ts';
import { shapeOf } from './command-shape.ts';

/** `layercache completion SHELL`: the script for a shell. */
export function completionCommand(io: CliIo): Command {
  return new Command('completion')
    .description(
      'print the script that completes commands, flags and names of services; kubectl finds it by the program kubectl_complete-layercache',
    )
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `${examples(io, 'completion bash')}\n\n  source <(layercache completion bash)`,
    )
    .action(async (shell: Shell) => {
      const { completionScript } = await import('../commands/completion/scripts.ts');
      io.stdout.write(completionScript(shell));
    });
}

/** What the scripts and kubectl ask: a candidate a line, then `:0` where files may follow too, else `:4`, as kubectl has it. */
export function completeCommand(io: CliIo, program: () => Command): Command {
  return new Command('__complete')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      const { complete } = await import('../commands/completion/complete.ts');
      const { words: found, wants } = complete(shapeOf(program()), words);
      const names = wants === 'Service' ? await namesFor(io, words) : [];
      const lines = [...found, ...names, wants === 'File' ? ':0' : ':4'];
      io.stdout.write(`${lines.join('\n')}\n`);
    });
}

/** Names of services; none when the cluster cannot be asked: completion never complains. */
async function namesFor(io: CliIo, words: readonly string[]): Promise<readonly string[]> {
  const { KIND } = await import('../../crds/v1alpha1/cached-model-service.ts');
  const flags = {
    namespace: valueOf(words, '-n', '--namespace'),
    context: valueOf(words, '--context'),
    kubeconfig: valueOf(words, '--kubeconfig'),
  };
  const current = words.at(-1) ?? '';
  try {
    return await askCluster(io, flags, async ({ api, namespace }) => {
      const { items } = await api.list(KIND, { namespace, metadataOnly: true, deadlineMs: 3_000 });
      return items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(current));
    });
  } catch {
    return [];
  }
}

function valueOf(words: readonly string[], ...flags: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    if (flags.includes(word)) return words[index + 1];
    const [name = '', value] = word.split('=', 2);
    if (value !== undefined && flags.includes(name)) return value;
  }
  return undefined;
}
