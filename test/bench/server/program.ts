import { spawn } from 'node:child_process';
import { processTree } from '../process-tree.ts';
import type { Target } from './drive.ts';

/** Another server that this benchmark starts and ends. */
export interface Program extends Target {
  stop(): Promise<void>;
}

export interface ProgramPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Resolves with the port once it answers; rejects with why it does not. */
  readonly port: (stdout: () => string) => Promise<number>;
}

const START_MS = 90_000;
const STOP_MS = 5_000;

/** Ends with SIGTERM, after a while with SIGKILL; never outlives this process by more than its own start. */
export async function startProgram(plan: ProgramPlan): Promise<Program> {
  const child = spawn(plan.command, plan.args, {
    ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
    // A server that reports to the makers of its engine is not measured doing so.
    env: { PATH: process.env.PATH ?? '', ORT_DISABLE_TELEMETRY: '1', ...plan.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let tail = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (tail = (tail + chunk.toString()).slice(-2_000)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
    });
  });
  const tree = (): number[] => (child.pid === undefined ? [] : [...processTree(child.pid).keys()]);
  const killed = (): void => {
    tree().forEach(killIfThere);
  };
  process.once('exit', killed);
  const stop = async (): Promise<void> => {
    // Known before it ends: some leave their own processes behind, which keep its output open.
    const all = tree();
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      all.forEach(killIfThere);
    }, STOP_MS);
    await ended;
    clearTimeout(timer);
    process.removeListener('exit', killed);
    all.forEach(killIfThere);
  };
  try {
    const late = new AbortController();
    const port = await Promise.race([
      plan.port(() => stdout),
      ended.then(() => Promise.reject(new Error('it ended'))),
      new Promise<never>((_, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`it was not ready after ${START_MS / 1_000} s`));
        }, START_MS);
        late.signal.addEventListener('abort', () => {
          clearTimeout(timer);
        });
      }),
    ]).finally(() => {
      late.abort();
    });
    return { port, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw new Error(`${plan.command} ${plan.args.join(' ')} did not start:\n${tail}`, {
      cause: error,
    });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended, as it should.
  }
}
