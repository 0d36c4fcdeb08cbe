// Runs command blocks of documents as a person would: in a shell, from the root of the repository, with real kubectl and Helm.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { blockText } from '../../unit/docs/documents.ts';
import { clientTools, type HelmMajor } from '../harness/client-tools.ts';
import { runCommand, type CommandResult } from '../harness/run-command.ts';

/** For commands that install: where packages come from is the machine's business, and the home of the shell is empty. */
export const PACKAGES_OF_THE_MACHINE: Readonly<Record<string, string>> = {
  NPM_CONFIG_USERCONFIG: join(process.env.HOME ?? '', '.npmrc'),
};

export interface ShellOptions {
  readonly kubeconfigPath?: string;
  /** @defaultValue 4 */
  readonly major?: HelmMajor;
  /** What stands for names that only a reader's own network knows. */
  readonly names?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Its folder is a clone with the files of the index, for commands that install and build. @defaultValue false: it shows the repository */
  readonly isClone?: boolean;
  /** Of a block. @defaultValue 300,000 */
  readonly deadlineMs?: number;
}

export interface Shell {
  /** Its working folder, which has what the repository has and keeps what commands write out of it. */
  readonly folder: string;
  /** Runs the block as it stands, to the first command that fails; returns what it printed. */
  block(id: string): Promise<string>;
  run(text: string): Promise<string>;
  /** As `run`, but a failure is a value. */
  attempt(text: string): Promise<CommandResult>;
  close(): void;
}

export function openShell(options: ShellOptions = {}): Shell {
  const { kubeconfigPath = '/dev/null', major = 4, names = {}, environment = {} } = options;
  const { isClone = false, deadlineMs = 300_000 } = options;
  const home = mkdtempSync(join(tmpdir(), 'layercache-docs-'));
  const folder = join(home, 'repository');
  if (isClone) {
    execFileSync('git', ['clone', '--quiet', '--no-checkout', '.', folder]);
    execFileSync('git', ['checkout-index', '--all', `--prefix=${folder}/`]);
  } else {
    mkdirSync(folder);
    for (const name of readdirSync('.')) symlinkSync(join(process.cwd(), name), join(folder, name));
  }
  const programs = linkPrograms(home);
  const attempt = async (text: string): Promise<CommandResult> => {
    const tools = await clientTools(major);
    const script = Object.entries(names).reduce(
      (all, [from, to]) => all.replaceAll(from, to),
      text,
    );
    return runCommand('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      environment: {
        PATH: `${programs}:${dirname(tools.kubectl)}:${process.env.PATH ?? ''}`,
        KUBECONFIG: kubeconfigPath,
        HOME: home,
        HELM_CACHE_HOME: join(home, 'helm/cache'),
        HELM_CONFIG_HOME: join(home, 'helm/config'),
        HELM_DATA_HOME: join(home, 'helm/data'),
        ...environment,
      },
      deadlineMs,
    });
  };
  const run = async (text: string): Promise<string> => {
    const { code, stdout, stderr } = await attempt(text);
    expect(code, `${text}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  return {
    folder,
    block: (id) => run(blockText(id)),
    run,
    attempt,
    close: () => {
      rmSync(home, { recursive: true });
    },
  };
}

/** A folder for the path, as `npm link` puts programs on it. */
function linkPrograms(home: string): string {
  const folder = join(home, 'bin');
  mkdirSync(folder);
  for (const name of ['layercache', 'kubectl-layercache']) {
    symlinkSync(join(process.cwd(), 'dist/bundle/layercache.mjs'), join(folder, name));
  }
  return folder;
}
