import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { writeFileAtomically } from '../write-file.ts';
import { renderReport } from './html/render-report.ts';
import { reportSchema, type Report } from './report-schema.ts';

/** Writes report.json and report.html; a report that breaks its own schema is a bug and is not written. Returns the paths. */
export function writeReport(
  report: Report,
  folder: string,
): { readonly json: string; readonly page: string } {
  const checked = reportSchema.parse(report);
  const paths = { json: join(folder, 'report.json'), page: join(folder, 'report.html') };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileAtomically(paths.json, `${JSON.stringify(checked, null, 2)}\n`);
    writeFileAtomically(paths.page, renderReport(checked));
    return paths;
  } catch (error) {
    throw new CliError('ReportUnwritable', {
      where: folder,
      why: `${errorText(error, 'write')}.`,
      cause: error,
    });
  }
}

/** Checked before a run, so that a run of minutes does not end without its report. */
export function checkReportFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new CliError('ReportUnwritable', {
      where: folder,
      why: `${errorText(error, 'write')}.`,
      cause: error,
    });
  }
}
