// What the guide to a model of ones own needs: a shell beside the repository, rows, and reports of its runs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openShell, type Shell } from '../../cluster/docs/shell.ts';
import { npy } from '../local/local-run.ts';
import { FIRST_SHARES, SIDE, textureRows } from '../local/texture-place.ts';

interface GuideReport {
  readonly complete: boolean;
  readonly certificate: { readonly epsilon: number } | null;
  readonly run: { readonly requests: number };
  readonly serving: { readonly netMacsSavedRatio: number };
}

export interface GuidePlace {
  readonly shell: Shell;
  /** A file of the folder that commands run in. */
  readonly path: (name: string) => string;
  /** Rows of float32 as a user has them after preprocessing, channels last. */
  readonly writeRows: (name: string, count: number, seed: number) => void;
  /** Of the run that printed this: it names the file at the end. */
  readonly reportOf: (said: string) => GuideReport;
}

/** Another port than the one that readers see: other tests run beside these. */
const PORT = '18080';

export function openGuidePlace(environment: Readonly<Record<string, string>> = {}): GuidePlace {
  const shell = openShell({ names: { '8080': PORT }, environment, deadlineMs: 600_000 });
  const path = (name: string): string => join(shell.folder, name);
  return {
    shell,
    path,
    writeRows: (name, count, seed) => {
      const bytes = textureRows(count, seed, FIRST_SHARES).pixels;
      const values = Float32Array.from(bytes, (value) => (value - 128) / 50);
      const elements = new Uint8Array(values.buffer);
      writeFileSync(path(name), npy([count, SIDE, SIDE, 3], elements, '<f4'));
    },
    reportOf: (said) => {
      const [folder = ''] = /\S+(?=\/report\.json)/.exec(said) ?? [];
      return JSON.parse(readFileSync(path(`${folder}/report.json`), 'utf8')) as GuideReport;
    },
  };
}
