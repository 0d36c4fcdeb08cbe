import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderDefinition } from '../../../crds/generate/definition-yaml.ts';
import { headRevisionDefinition, serviceDefinition } from '../../../crds/schema/custom-resource.ts';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';

export type ExportName = 'dashboards' | 'alerts' | 'crds';

/** Writes what the chart installs as plain files; resolves with their paths. */
export async function exportFiles(
  what: ExportName,
  folder: string,
  bundleDir: string,
): Promise<readonly string[]> {
  const files =
    what === 'crds' ? definitionFiles() : await chartFiles(join(bundleDir, 'chart', what));
  try {
    await mkdir(folder, { recursive: true });
    return await Promise.all(
      files.map(async ([name, text]) => {
        const path = join(folder, name);
        await writeFile(path, text);
        return path;
      }),
    );
  } catch (error) {
    const why = `${errorText(error, 'write')}.`;
    throw new CliError('FolderUnwritable', { where: folder, why, cause: error });
  }
}

function definitionFiles(): readonly (readonly [string, string])[] {
  return [serviceDefinition(), headRevisionDefinition()].map((definition) => [
    `${definition.metadata.name}.yaml`,
    renderDefinition(definition),
  ]);
}

/** The bundle carries the files of the chart as they are. */
async function chartFiles(source: string): Promise<readonly (readonly [string, string])[]> {
  try {
    const names = (await readdir(source)).sort();
    return await Promise.all(
      names.map(async (name) => [name, await readFile(join(source, name), 'utf8')] as const),
    );
  } catch (error) {
    throw new CliError('ProgramMissing', {
      where: source,
      why: `${errorText(error)}.`,
      cause: error,
    });
  }
}
