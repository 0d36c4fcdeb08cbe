import { spawn } from 'node:child_process';

export interface ToolRun {
  readonly program: string;
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly interrupt: AbortSignal;
}

export type ToolEnd =
  { readonly ok: true; readonly stdout: string } | { readonly ok: false; readonly output: string };

const TAIL = 64 * 1024;

/** Runs a program of the machine to its end. */
export function runTool({
  program,
  words,
  folder,
  environment,
  interrupt,
}: ToolRun): Promise<ToolEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: interrupt,
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] = `${said[stream]}${text}`.slice(-TAIL);
      });
    }
    let isBroken = false;
    // It was not there, or was interrupted: then it may still write for a moment, and what it writes to is not to be removed before.
    child.once('error', () => {
      isBroken = true;
    });
    child.once('close', (code) => {
      const output = isBroken ? said.stderr : `${said.stdout}\n${said.stderr}`;
      const isOk = code === 0 && !isBroken;
      resolve(isOk ? { ok: true, stdout: said.stdout } : { ok: false, output });
    });
  });
}
