import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../../operator/version.ts';
import { freePorts } from '../../cluster/harness/free-ports.ts';
import { serveModel } from '../served-model.ts';
import { targetOf } from '../server/layercache-target.ts';
import { startProgram, type Program } from '../server/program.ts';
import { pythonEnvironment } from '../server/python-environment.ts';
import { LAYERCACHE } from './layercache-name.ts';
import { versionOf, type Layout, type Peer, type Ports } from './peer.ts';
import { v2Binary, v2Json, type Protocol } from './protocol.ts';

/** From the bundle in dist/bundle as from its source. */
const PROGRAMS = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? 'programs/' : '../../test/bench/peers/programs/',
    import.meta.url,
  ),
);

/** As many as the one that listens on most. */
const PORTS = 5;

export interface ModelOnDisk {
  readonly path: string;
  readonly rowShape: readonly number[];
}

/** A server of the comparison: ours or another. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly layout: Layout;
  readonly protocols: readonly Protocol[];
  /** What it needs is installed where it is missing; one sentence where that fails. */
  readonly prepare: () => string | null;
  readonly start: (model: ModelOnDisk) => Promise<Program>;
}

/** As the product runs unless told: a worker of one thread for each core, and all cores for a row that is alone. */
export function layercache(): Contender {
  return {
    name: LAYERCACHE,
    version: VERSION,
    layout: { workers: availableParallelism(), threads: 1 },
    protocols: [v2Binary(), v2Json()],
    prepare: () => null,
    start: async ({ path, rowShape }) => {
      const served = await serveModel(path, rowShape);
      return { ...targetOf(served), stop: () => served.stop() };
    },
  };
}

export function contenderOf(peer: Peer): Contender {
  const layout = peer.layout(availableParallelism());
  const environment = (): ReturnType<typeof pythonEnvironment> =>
    pythonEnvironment(peer.environment, peer.packages);
  return {
    name: peer.name,
    version: versionOf(peer),
    layout,
    protocols: [peer.protocol],
    prepare: () => {
      const missing = peer.missing?.() ?? null;
      if (missing !== null) return missing;
      const made = environment();
      return made.ok ? null : made.why;
    },
    start: (model) => {
      const made = environment();
      if (!made.ok) throw new Error(made.why);
      return startPeer(peer, { bin: made.bin, layout, model });
    },
  };
}

async function startPeer(
  peer: Peer,
  { bin, layout, model }: { bin: string; layout: Layout; model: ModelOnDisk },
): Promise<Program> {
  // Its home and its place for files too: what it leaves behind goes with it. Short, for the sake of sockets in it.
  const folder = mkdtempSync(join(tmpdir(), 'lc-peer-'));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  const given = new AbortController();
  try {
    const ports = (await freePorts(PORTS)) as readonly number[] as Ports;
    const place = { bin, programs: PROGRAMS, folder, modelPath: model.path, layout, ports };
    const { command, args, readyPath, environment } = peer.launch(place);
    const program = await startProgram({
      command,
      args,
      cwd: folder,
      environment: {
        PATH: `${bin}:${process.env.PATH ?? ''}`,
        HOME: folder,
        TMPDIR: folder,
        PYTHONPATH: PROGRAMS,
        PYTHONDONTWRITEBYTECODE: '1',
        MODEL: model.path,
        ROW_SHAPE: model.rowShape.join(),
        ENGINE_THREADS: String(layout.threads),
        ENGINE_WORKERS: String(layout.workers),
        PORT: String(ports[0]),
        ...environment,
      },
      port: () => readyAt(ports[0], readyPath, given.signal),
    });
    const stop = async (): Promise<void> => {
      await program.stop();
      remove();
    };
    return { ...program, stop };
  } catch (error) {
    // Or the question whether it is ready would keep this process alive.
    given.abort();
    remove();
    throw error;
  }
}

async function readyAt(port: number, path: string, given: AbortSignal): Promise<number> {
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady()) && !given.aborted) await wait(100);
  return port;
}
