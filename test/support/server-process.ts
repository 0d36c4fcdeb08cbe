import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/server.mjs', import.meta.url));

export interface StartedServer {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly code: Promise<number | null>;
}

/** Starts the bundled server on free loopback ports, with these variables of its own. The caller kills it. */
export function spawnServer(
  environment: Readonly<Record<string, string>>,
  program = PROGRAM,
): StartedServer {
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env.PATH ?? '',
      LAYERCACHE_ENGINES_DIR: process.env.LAYERCACHE_ENGINES_DIR ?? '',
      LAYERCACHE_MODEL_NAME: 'digits',
      LAYERCACHE_DATA_PORT: '0',
      LAYERCACHE_ADMIN_PORT: '0',
      LAYERCACHE_METRICS_PORT: '0',
      LAYERCACHE_BIND_HOST: '127.0.0.1',
      LAYERCACHE_ENGINE_THREADS: '1',
      LAYERCACHE_DRAIN_DELAY: '0s',
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = new Promise<number | null>((resolve) => {
    child.on('exit', resolve);
  });
  return { child, code, stdout: () => out, stderr: () => err };
}
