import { Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import type { Outcome } from './program.ts';

/** `layercache validate -f FILE`: every problem at once, with line and fix. */
export function validateCommand(io: CliIo, outcome: Outcome): Command {
  return new Command('validate')
    .description('check a manifest: schema and every rule between fields, offline')
    .requiredOption('-f, --file <manifest>', 'file to check, - for standard input')
    .addHelpText('after', '\nExample:\n  layercache validate -f service.yaml')
    .action(async ({ file }: { file: string }) => {
      const { readManifestFile } = await import('../local/load-service.ts');
      const { formatProblems, readManifest } = await import('../../crds/schema/manifest.ts');
      const { problems } = readManifest(readManifestFile(file), file);
      io.stderr.write(formatProblems(problems, file));
      if (problems.length === 0) io.stdout.write(`${file}: valid\n`);
      outcome.exitCode = problems.length === 0 ? 0 : 2;
    });
}
