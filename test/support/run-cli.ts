import type { CliIo } from '../../operator/cli/cli-io.ts';
import { printError } from '../../operator/cli/print-error.ts';
import { createProgram } from '../../operator/cli/program.ts';

export interface CliResult {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

/** Runs a command line in this process; `kubeconfig` stands in the environment, as for a person. */
export async function runCli(
  kubeconfig: string,
  words: readonly string[],
  more: Partial<CliIo> = {},
): Promise<CliResult> {
  const text = { out: '', err: '' };
  const io: CliIo = {
    bundleDir: '/nowhere',
    stdout: { write: (part) => void (text.out += part), columns: 100 },
    stderr: { write: (part) => void (text.err += part), columns: undefined },
    isTerminal: false,
    environment: { KUBECONFIG: kubeconfig, HOME: '/nowhere' },
    ...more,
  };
  const outcome = { exitCode: 0 };
  try {
    await createProgram(io, outcome).parseAsync(words, { from: 'user' });
  } catch (error) {
    outcome.exitCode = printError(error, io, words.includes('--debug'));
  }
  return { ...text, exitCode: outcome.exitCode };
}
