import { Command, InvalidArgumentError } from 'commander';
import type { CliIo } from './cli-io.ts';
import { createInterrupt } from './interrupt.ts';
import { duration } from './parse-flags.ts';

interface SmokeFlags {
  readonly namespace: string;
  readonly name: string;
  readonly timeout: number;
}

const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** `layercache smoke`: what `helm test` runs, in a pod of the cluster with the account of the test. */
export function smokeCommand(io: CliIo): Command {
  return new Command('smoke')
    .description(
      'inside a cluster: make a service of the example model, ask it, read its metrics, delete it; what helm test runs',
    )
    .requiredOption('-n, --namespace <namespace>', 'where the service is made')
    .option('--name <name>', 'of the service', nameFlag, 'layercache-smoke')
    .option('--timeout <duration>', 'of the whole test', duration, 180_000)
    .addHelpText('after', '\nExample:\n  layercache smoke -n models --timeout 2m')
    .action(async (flags: SmokeFlags) => {
      const { runSmokeInCluster } = await import('../smoke/smoke-in-cluster.ts');
      const interrupt = createInterrupt();
      try {
        await runSmokeInCluster({
          ...flags,
          interrupt: interrupt.signal,
          print: (line) => {
            io.stdout.write(`${line}\n`);
          },
        });
      } finally {
        interrupt.close();
      }
    });
}

function nameFlag(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('Write at most 40 of a-z, 0-9 and "-", a letter first.');
}
