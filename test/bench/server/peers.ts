import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProgram, type Program } from './program.ts';
import { pythonEnvironment, type PythonEnvironment } from './python-environment.ts';

/** Of the same release as onnxruntime-node here. */
const ONNXRUNTIME = 'onnxruntime==1.30.0';
export const PEER_VERSIONS = { MLServer: '1.7.1', KServe: '0.21.0', onnxruntime: '1.30.0' };

/** From the bundle in dist/bundle as from its source. */
const PROGRAMS = new URL(
  import.meta.url.endsWith('.ts') ? 'peers/' : '../../test/bench/server/peers/',
  import.meta.url,
);

export interface PeerPlan {
  readonly modelPath: string;
  /** Threads within one run of the model. */
  readonly engineThreads: number;
}

/** Another model server, on the same ONNX file and the same engine. */
export interface Peer {
  readonly name: 'MLServer' | 'KServe';
  /** The fastest that it reads and writes: MLServer has JSON alone. */
  readonly format: 'json' | 'binary';
  readonly environment: () => PythonEnvironment;
  readonly start: (
    environment: Extract<PythonEnvironment, { ok: true }>,
    plan: PeerPlan,
  ) => Promise<Program>;
}

export const PEERS: readonly Peer[] = [
  {
    name: 'MLServer',
    format: 'json',
    // Its own range lets in a release of uvloop that it does not start with.
    environment: () =>
      pythonEnvironment('mlserver', [
        `mlserver==${PEER_VERSIONS.MLServer}`,
        'uvloop==0.21.0',
        ONNXRUNTIME,
      ]),
    start: startMlServer,
  },
  {
    name: 'KServe',
    format: 'binary',
    environment: () =>
      pythonEnvironment('kserve', [`kserve==${PEER_VERSIONS.KServe}`, ONNXRUNTIME]),
    start: startKServe,
  },
];

/** One process: its parallel workers cost more than they bring on few cores (measured). */
async function startMlServer(
  { bin }: { readonly bin: string },
  { modelPath, engineThreads }: PeerPlan,
): Promise<Program> {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-mlserver-'));
  const [port = 0, grpc = 0, metrics = 0] = await freePorts(3);
  const write = (name: string, value: unknown): void => {
    writeFileSync(join(dir, name), JSON.stringify(value));
  };
  write('settings.json', {
    parallel_workers: 0,
    host: '127.0.0.1',
    http_port: port,
    grpc_port: grpc,
    metrics_port: metrics,
    debug: false,
  });
  write('model-settings.json', {
    name: 'bench',
    implementation: 'mlserver_runtime.OnnxRuntime',
    parameters: { uri: modelPath },
  });
  copyFileSync(
    fileURLToPath(new URL('mlserver_runtime.py', PROGRAMS)),
    join(dir, 'mlserver_runtime.py'),
  );
  const program = await startProgram({
    command: join(bin, 'mlserver'),
    args: ['start', dir],
    cwd: dir,
    environment: { ENGINE_THREADS: String(engineThreads) },
    port: () => readyAt(port),
  });
  return {
    ...program,
    stop: async () => {
      await program.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function startKServe(
  { python }: { readonly python: string },
  { modelPath, engineThreads }: PeerPlan,
): Promise<Program> {
  const [port = 0] = await freePorts(1);
  return startProgram({
    command: python,
    args: [fileURLToPath(new URL('kserve_server.py', PROGRAMS)), modelPath, String(port)],
    environment: { ENGINE_THREADS: String(engineThreads) },
    port: () => readyAt(port),
  });
}

async function readyAt(port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/v2/models/bench/ready`;
  const isReady = (): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) await wait(100);
  return port;
}

/** Held together until all are known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            resolve((server.address() as AddressInfo).port);
          });
        }),
    ),
  );
  await Promise.all(
    servers.map((server) => new Promise<unknown>((resolve) => server.close(resolve))),
  );
  return ports;
}
