import { availableParallelism, cpus } from 'node:os';
import type { CachedModelService } from '../../crds/v1alpha1/cached-model-service.ts';
import type { ServerState } from '../../crds/wire/state.ts';
import { CliError } from '../errors.ts';
import { pullState } from '../fleet/pull-state.ts';
import { companionSettings } from './companion-settings.ts';
import type { PreparedBackbone } from './prepare-backbone.ts';
import { startServer, type ServerOptions, type ServerProcess } from './processes/server-process.ts';
import type { RunIo } from './run-options.ts';

export interface StartedServer {
  /** The process in its place now: another one after a restart. */
  readonly server: ServerProcess;
  readonly state: ServerState;
  /** Starts a process that ended again, on the data port that clients know. */
  restart(): Promise<void>;
}

export interface FleetOptions {
  readonly service: CachedModelService;
  readonly backbone: PreparedBackbone;
  /** What relative paths of the manifest are relative to. */
  readonly manifestFolder: string;
  readonly replicas: number;
  readonly engine: string | null;
  readonly port: number;
}

/** Starts the replicas side by side, the machine's cores shared evenly; one failure stops them all. */
export async function startFleet(options: FleetOptions, io: RunIo): Promise<StartedServer[]> {
  const started = await Promise.allSettled(
    Array.from({ length: options.replicas }, (_, index) => startOne(options, io, index)),
  );
  const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failure = started.find((one) => one.status === 'rejected');
  if (failure === undefined) return servers;
  for (const { server } of servers) server.child.kill();
  throw failure.reason;
}

async function startOne(options: FleetOptions, io: RunIo, index: number): Promise<StartedServer> {
  const start = (port: number): Promise<ServerProcess> =>
    startServer({ ...serverOptions(options, io, index), port });
  let current = await start(index === 0 ? options.port : 0);
  const dataPort = Number(new URL(current.dataUrl).port);
  const state = await pullState(current.admin);
  if (!state.ok) {
    current.child.kill();
    throw new CliError('ServerFailed', { where: current.podUid, why: `${state.message}.` });
  }
  return {
    state: state.value,
    server: {
      podUid: current.podUid,
      get child() {
        return current.child;
      },
      get dataUrl() {
        return current.dataUrl;
      },
      get metricsUrl() {
        return current.metricsUrl;
      },
      get admin() {
        return current.admin;
      },
    },
    restart: async () => {
      current.admin.close();
      current = await start(dataPort);
    },
  };
}

function serverOptions(
  options: FleetOptions,
  io: RunIo,
  index: number,
): Omit<ServerOptions, 'port'> {
  const { service, replicas } = options;
  return {
    bundleDir: io.bundleDir,
    podUid: `local-${index}`,
    modelName: service.spec.modelName ?? service.metadata.name,
    backbonePath: options.backbone.path,
    backboneDigest: options.backbone.digest,
    outputName: service.spec.backbone.outputName ?? null,
    task: service.spec.backbone.task ?? null,
    inputs: inputsOf(service),
    companions: companionSettings(service.spec.exits, options.manifestFolder),
    engine: options.engine ?? service.spec.server.engine,
    engineThreads:
      replicas === 1 ? null : Math.max(1, Math.floor(availableParallelism() / replicas)),
    // What is reported is what exits save: passes cost the same with and without company, as on a server that is busy.
    loneThreads: 1,
    startupDeadlineMs: service.spec.server.startupDeadline,
    environment: io.environment,
    onChild: io.onChild,
    onLine: io.debug ? debugLine(io) : undefined,
  };
}

function inputsOf({ spec }: CachedModelService): NonNullable<ServerOptions['inputs']> | null {
  const { student, inputs } = spec.heads.training;
  if (student === 'Off') return null;
  return { memoryBytes: inputs.maxSize, retentionMs: inputs.retention };
}

export function debugLine(io: RunIo): (name: string, line: string) => void {
  return (name, line) => {
    io.stderr.write(`${name}: ${line}\n`);
  };
}

/** What a report says about the machine. */
export function machineVersions(state: ServerState): Record<string, string> {
  return {
    ...state.engine.versions,
    node: process.version,
    cpu: `${cpus()[0]?.model.trim() ?? 'unknown'} x ${availableParallelism()}`,
    layercache: state.version,
  };
}
