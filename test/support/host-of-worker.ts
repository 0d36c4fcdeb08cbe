import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const BUNDLE = fileURLToPath(new URL('../../dist/bundle/', import.meta.url));

export interface HostOfWorker {
  readonly hostScript: string;
  /** A server that starts this host. */
  readonly program: string;
  remove(): Promise<void>;
}

/** The server and the engine host that ship, with another worker for ONNX models. @param worker path of its source */
export async function hostOfWorker(worker: string): Promise<HostOfWorker> {
  // In the tree, where native packages are found.
  const folder = await mkdtemp(join(BUNDLE, '..', 'host-of-worker-'));
  const hostScript = join(folder, 'engine-host.mjs');
  const program = join(folder, 'server.mjs');
  await copyFile(join(BUNDLE, 'engine-host.mjs'), hostScript);
  await copyFile(join(BUNDLE, 'server.mjs'), program);
  await build({
    entryPoints: { 'engine-onnx-worker': worker },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    external: ['onnxruntime-node', 'onnxruntime-node/*'],
    logLevel: 'error',
  });
  return { hostScript, program, remove: () => rm(folder, { recursive: true, force: true }) };
}
