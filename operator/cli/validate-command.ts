import { Command } from 'commander';
import type { CheckedManifests, ManifestObject } from '../../crds/schema/check-manifests.ts';
import type { CliIo } from './cli-io.ts';
import type { Outcome } from './program.ts';

const EXAMPLES = `
Examples:
  layercache validate -f service.yaml
  layercache validate -f service.yaml heads.yaml
  helm template ./chart | layercache validate -f -`;

/** `layercache validate -f FILE...`: every problem of every object at once, with line and fix. */
export function validateCommand(io: CliIo, outcome: Outcome): Command {
  return new Command('validate')
    .description(
      'check manifests of both kinds: schema and every rule between fields, offline, as the API server will',
    )
    .requiredOption('-f, --file <manifest...>', 'files to check, - for standard input')
    .addHelpText('after', EXAMPLES)
    .action(async ({ file: files }: { file: string[] }) => {
      const { nameOfFile, readManifestFile } = await import('../local/load-service.ts');
      const { checkManifests } = await import('../../crds/schema/check-manifests.ts');
      const { formatProblems } = await import('../../crds/schema/manifest-problem.ts');
      // All are read before the first is judged: a path that is wrong is no half answer.
      const texts = files.map((path) => ({ name: nameOfFile(path), text: readManifestFile(path) }));
      for (const { name, text } of texts) {
        const checked = checkManifests(text, name);
        io.stderr.write(`${skippedLines(checked, name)}${formatProblems(checked.problems, name)}`);
        io.stdout.write(checked.valid.map((one) => `${name}: ${titleOf(one)} is valid\n`).join(''));
        if (checked.problems.length > 0) outcome.exitCode = 2;
      }
    });
}

function skippedLines({ skipped }: CheckedManifests, file: string): string {
  return skipped
    .map(
      (one) => `${file}:${one.line}: ${titleOf(one)} is not checked: it is not of layercache.io\n`,
    )
    .join('');
}

function titleOf({ kind, name }: ManifestObject): string {
  return [kind, name].filter((word) => word !== '').join(' ');
}
