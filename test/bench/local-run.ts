import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHeadBundle, type HeadBundle } from '../../crds/wire/head-bundle.ts';
import { reportSchema, type Report } from '../../operator/local/report/report-schema.ts';
import { BUNDLE_DIR } from './served-model.ts';

export interface LocalRun {
  readonly report: Report;
  /** The certified revision's bundle. */
  readonly bundle: HeadBundle | null;
  readonly wallSeconds: number;
}

/** Runs `layercache local run` as a user would, and reads what it leaves. */
export async function runLocally(flags: readonly string[]): Promise<LocalRun> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-bench-run-'));
  const startMs = performance.now();
  try {
    await runProgram([
      'local',
      'run',
      ...flags,
      '--report',
      join(folder, 'report'),
      '--state',
      join(folder, 'state'),
    ]);
    const report = reportSchema.parse(
      JSON.parse(readFileSync(join(folder, 'report', 'report.json'), 'utf8')),
    );
    return {
      report,
      bundle: readBundle(join(folder, 'state', 'heads'), report.certificate?.headRevision ?? null),
      wallSeconds: (performance.now() - startMs) / 1_000,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runProgram(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(BUNDLE_DIR, 'layercache.mjs'), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`layercache ${args.join(' ')} ended with ${code ?? 'a signal'}`));
    });
  });
}

function readBundle(folder: string, headRevision: string | null): HeadBundle | null {
  if (headRevision === null || !existsSync(folder)) return null;
  const hex = headRevision.replace('sha256:', '');
  const file = readdirSync(folder).find((name) => name.includes(hex));
  if (file === undefined) return null;
  const parsed = parseHeadBundle(readFileSync(join(folder, file)));
  return parsed.ok ? parsed.value : null;
}
