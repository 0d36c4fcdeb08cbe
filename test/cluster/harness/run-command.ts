import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  /** Passes standard error on to this process as it comes, for steps that take minutes. */
  readonly isLoud?: boolean;
}

/** Runs a program to its end. A non-zero exit is a value; a program that cannot start, or a missed deadline, throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input, cwd, environment, deadlineMs = 60_000, isLoud = false } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `${command} ${args.join(' ')} did not end within ${deadlineMs} ms: ${text(stdout)}${text(stderr)}`,
        ),
      );
    }, deadlineMs);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr.push(chunk);
      if (isLoud) process.stderr.write(chunk);
    });
    // A program that ends without reading its input closes the pipe; its exit status says what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

/** As `runCommand`, but a non-zero exit throws with what the program said; returns standard output. */
export async function expectCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, args, options);
  if (code !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} ended with ${code}: ${stderr.trim() || stdout.trim()}`,
    );
  }
  return stdout;
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString();
}
