import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, messageOf } from '../../errors.ts';
import { writeFileAtomically } from '../write-file.ts';
import { reportSchema, type Report } from './report-schema.ts';

/** Writes report.json; a report that breaks its own schema is a bug and is not written. Returns the path. */
export function writeReport(report: Report, folder: string): string {
  const checked = reportSchema.parse(report);
  const path = join(folder, 'report.json');
  try {
    mkdirSync(folder, { recursive: true });
    writeFileAtomically(path, `${JSON.stringify(checked, null, 2)}\n`);
    return path;
  } catch (error) {
    throw new CliError('ReportUnwritable', {
      where: folder,
      why: `${messageOf(error)}.`,
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
      why: `${messageOf(error)}.`,
      cause: error,
    });
  }
}
