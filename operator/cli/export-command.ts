import { Argument, Command } from 'commander';
import type { CliIo } from './cli-io.ts';
import { examples } from './cluster-command.ts';
import type { ExportName } from '../commands/export/export-files.ts';

/** `layercache export WHAT DIR`: what the chart installs, without Helm. */
export function exportCommand(io: CliIo): Command {
  return new Command('export')
    .description(
      'write dashboards, alert rules or definitions as plain files, for those who do not use the chart',
    )
    .addArgument(new Argument('<what>').choices(['dashboards', 'alerts', 'crds']))
    .argument('<folder>', 'made if it is not there')
    .addHelpText(
      'after',
      examples(
        io,
        'export dashboards ./out',
        'export crds ./out && kubectl apply --server-side -f ./out',
      ),
    )
    .action(async (what: ExportName, folder: string) => {
      const { exportFiles } = await import('../commands/export/export-files.ts');
      const paths = await exportFiles(what, folder, io.bundleDir);
      io.stdout.write(paths.map((path) => `${path}\n`).join(''));
    });
}
