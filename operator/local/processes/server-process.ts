import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatDuration } from '../../../crds/v1alpha1/duration.ts';
import type { TaskName } from '../../../crds/wire/task.ts';
import { CliError } from '../../errors.ts';
import { createAdminClient, type AdminClient } from '../../fleet/admin-client.ts';
import { lastWords, startChild, type Child } from './child.ts';

/** A model server on loopback, ready to answer. */
export interface ServerProcess {
  readonly podUid: string;
  readonly child: Child;
  readonly dataUrl: string;
  readonly metricsUrl: string;
  readonly admin: AdminClient;
}

export interface ServerOptions {
  readonly bundleDir: string;
  readonly podUid: string;
  readonly modelName: string;
  readonly backbonePath: string;
  readonly backboneDigest: string | null;
  readonly outputName: string | null;
  /** @defaultValue null: as layercache.json beside the model says */
  readonly task?: TaskName | null;
  /** Memory for input rows and how long they are held. @defaultValue null: none ever are */
  readonly inputs?: { readonly memoryBytes: number; readonly retentionMs: number } | null;
  /** As the server reads them (LAYERCACHE_COMPANIONS). @defaultValue null: there are none */
  readonly companions?: string | null;
  readonly engine: string;
  readonly engineThreads: number | null;
  /** Threads of a pass for a row that is alone; null: as the server would. */
  readonly loneThreads: number | null;
  /** 0: a free one. */
  readonly port: number;
  readonly startupDeadlineMs: number;
  /** Environment that native libraries and Node need; nothing of ours. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onChild: (child: Child) => void;
  readonly onLine?: ((name: string, line: string) => void) | undefined;
}

/**
 * As in the image (server/Dockerfile). Four threads that help the collector take cores from the engine's workers: 0.05 of 0.27 ms of
 * main's processor time per request (measured), for a heap of 30 MB.
 */
export const SERVER_NODE_FLAGS: readonly string[] = ['--single-threaded-gc'];

export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const child = startChild({
    name: options.podUid,
    program: join(options.bundleDir, 'server.mjs'),
    nodeFlags: SERVER_NODE_FLAGS,
    environment: serverEnvironment(options),
    onLine: options.onLine,
  });
  options.onChild(child);
  try {
    const listening = await child.waitFor('listening', options.startupDeadlineMs);
    if (listening === null) throw await startFailure(child, options);
    const ready = await child.waitFor('ready', options.startupDeadlineMs);
    if (ready === null) throw await startFailure(child, options);
    const url = (key: string): string => `http://127.0.0.1:${String(listening[key])}`;
    return {
      podUid: options.podUid,
      child,
      dataUrl: url('dataPort'),
      metricsUrl: url('metricsPort'),
      admin: createAdminClient(url('adminPort')),
    };
  } catch (error) {
    child.kill();
    await child.ended;
    throw error;
  }
}

function serverEnvironment(options: ServerOptions): Record<string, string> {
  const optional: [string, string | number | null][] = [
    ['BACKBONE_DIGEST', options.backboneDigest],
    ['OUTPUT_NAME', options.outputName],
    ['TASK', options.task ?? null],
    ['COMPANIONS', options.companions ?? null],
    ['INPUT_MEMORY', options.inputs?.memoryBytes ?? null],
    ['INPUT_RETENTION', inputRetention(options)],
    ['ENGINE_THREADS', options.engineThreads],
    ['ENGINE_LONE_THREADS', options.loneThreads],
  ];
  const environment: Record<string, string> = {
    ...options.environment,
    LAYERCACHE_MODEL_NAME: options.modelName,
    LAYERCACHE_BACKBONE_URI: pathToFileURL(options.backbonePath).href,
    LAYERCACHE_ENGINE: options.engine,
    LAYERCACHE_DATA_PORT: String(options.port),
    LAYERCACHE_ADMIN_PORT: '0',
    LAYERCACHE_METRICS_PORT: '0',
    LAYERCACHE_BIND_HOST: '127.0.0.1',
    LAYERCACHE_POD_UID: options.podUid,
    LAYERCACHE_EVIDENCE_WINDOW_SECONDS: '1',
    // Collecting wants 10,000 rows whatever the width of their features; it is used only as rows come.
    LAYERCACHE_SAMPLE_MEMORY: '1Gi',
    LAYERCACHE_DRAIN_DELAY: '0s',
    LAYERCACHE_DRAIN_TIMEOUT: '3s',
  };
  for (const [key, value] of optional)
    if (value !== null) environment[`LAYERCACHE_${key}`] = String(value);
  return environment;
}

function inputRetention({ inputs = null }: ServerOptions): string | null {
  return inputs === null ? null : formatDuration(inputs.retentionMs);
}

/** What the server wrote last decides which paragraph the user reads. */
async function startFailure(child: Child, options: ServerOptions): Promise<CliError> {
  if (!child.hasEnded) {
    return new CliError('ServerNotReady', {
      where: options.podUid,
      why: `it was not ready after ${options.startupDeadlineMs / 1000} s. ${lastWords(child)}`,
    });
  }
  const { code, signal } = await child.ended;
  const tail = child.tail();
  if (options.port !== 0 && tail.includes('EADDRINUSE')) {
    return new CliError('PortInUse', {
      where: `--port ${options.port}`,
      why: 'another process listens on it.',
    });
  }
  const refusal = BACKBONE_REFUSAL.exec(tail)?.[1];
  if (refusal !== undefined) {
    // Most refusals begin with the path.
    const where = refusal.includes(options.backbonePath) ? undefined : options.backbonePath;
    return new CliError('BackboneLoadFailed', { where, why: `${refusal}.` });
  }
  return new CliError('ServerFailed', {
    where: options.backbonePath,
    why: `the server ended with ${signal ?? `exit code ${code ?? '?'}`}. ${lastWords(child)}`,
  });
}

/** The server's own sentence about a model that its engine refuses (server/start-failure.ts). */
const BACKBONE_REFUSAL = /^The backbone .* cannot be served \(\w+\): (.*?)\.?$/m;

const STOP_DEADLINE_MS = 5_000;

export async function stopServer(server: ServerProcess): Promise<void> {
  server.admin.close();
  await server.child.stop(STOP_DEADLINE_MS);
}
