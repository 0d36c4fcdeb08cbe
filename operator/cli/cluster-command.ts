import { Option, type Command } from 'commander';
import type { Cluster, ClusterFlags } from '../commands/cluster/cluster.ts';
import {
  OUTPUT_FORMATS,
  type OutputFormat,
  type Rendered,
} from '../commands/output/output-format.ts';
import { createPaint, type Paint } from '../commands/output/paint.ts';
import type { CliIo } from './cli-io.ts';

export interface OutputFlags {
  readonly output: OutputFormat;
}

/** Flags of every command that asks a cluster, as kubectl has them. */
export function withClusterFlags(command: Command, scope: 'One' | 'Many' = 'One'): Command {
  command.option('-n, --namespace <namespace>', 'namespace; else that of the context');
  if (scope === 'Many') command.option('-A, --all-namespaces', 'in all namespaces');
  return command
    .option('--context <context>', 'context of the kubeconfig; else the current one')
    .option('--kubeconfig <file>', 'else KUBECONFIG, ~/.kube/config, or the account of this pod');
}

export function withOutputFlag(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>').choices([...OUTPUT_FORMATS]).default('table'),
  );
}

/** Opens the cluster, closes it whatever happens, and says of failed calls what a person can do. */
export async function askCluster<T>(
  io: CliIo,
  flags: ClusterFlags,
  ask: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const { openCluster } = await import('../commands/cluster/open-cluster.ts');
  const { toCliError } = await import('../commands/cluster/call-error.ts');
  const cluster = openCluster(flags, io.environment);
  try {
    return await ask(cluster);
  } catch (error) {
    throw toCliError(error, cluster.server);
  } finally {
    cluster.close();
  }
}

/** Prints what a command found, in the form that was asked for. */
export async function print(io: CliIo, { output }: OutputFlags, rendered: Rendered): Promise<void> {
  const { renderOutput } = await import('../commands/output/output-format.ts');
  io.stdout.write(await renderOutput(output, rendered));
}

/** Only people see colours. */
export function paintFor(io: CliIo): Paint {
  return createPaint(io.isColourful === true);
}

/** An example under the name that the program was called by. */
export function examples(io: CliIo, ...lines: readonly string[]): string {
  const name = io.programName ?? 'layercache';
  const title = lines.length === 1 ? 'Example' : 'Examples';
  return `\n${title}:\n${lines.map((line) => `  ${name} ${line}`).join('\n')}`;
}
