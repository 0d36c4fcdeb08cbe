import { Command, Option } from 'commander';
import { COMMIT, VERSION } from '../version.ts';
import type { CliIo } from './cli-io.ts';
import { examples } from './cluster-command.ts';

/** `layercache version`. */
export function versionCommand(io: CliIo): Command {
  return new Command('version')
    .description('print the version; as JSON with the commit and the Node that runs it')
    .addOption(new Option('-o, --output <format>').choices(['table', 'json']).default('table'))
    .addHelpText('after', examples(io, 'version', 'version -o json'))
    .action(({ output }: { readonly output: 'table' | 'json' }) => {
      const facts = { schemaVersion: 1, version: VERSION, commit: COMMIT, node: process.version };
      io.stdout.write(output === 'json' ? `${JSON.stringify(facts, null, 2)}\n` : `${VERSION}\n`);
    });
}
