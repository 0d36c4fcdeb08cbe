import { openModel } from '../../local/inspect-model.ts';
import { debugLine } from '../../local/fleet-start.ts';
import { startServer, stopServer } from '../../local/processes/server-process.ts';
import type { RunIo } from '../../local/run-options.ts';

export interface ServeOptions {
  readonly model: string;
  readonly name: string;
  readonly port: number;
  readonly engine: string;
  readonly outputName: string | null;
}

const STARTUP_DEADLINE_MS = 1_200_000;

/** One server with the backbone alone, until it is interrupted or ends by itself. `onReady` hears where it listens. */
export async function serveModel(
  options: ServeOptions,
  io: RunIo,
  onReady: (urls: { readonly data: string; readonly metrics: string }) => void,
): Promise<'Interrupted' | 'Ended'> {
  const { model, name, port, engine, outputName } = options;
  const backbone = await openModel(model);
  const server = await startServer({
    bundleDir: io.bundleDir,
    podUid: 'serve',
    modelName: name,
    backbonePath: backbone.path,
    backboneDigest: backbone.digest,
    outputName,
    engine,
    engineThreads: null,
    loneThreads: null,
    port,
    startupDeadlineMs: STARTUP_DEADLINE_MS,
    environment: io.environment,
    onChild: io.onChild,
    onLine: io.debug ? debugLine(io) : undefined,
  });
  onReady({ data: server.dataUrl, metrics: server.metricsUrl });
  const interrupted = new Promise<'Interrupted'>((resolve) => {
    const onAbort = (): void => {
      resolve('Interrupted');
    };
    if (io.interrupt.aborted) onAbort();
    else io.interrupt.addEventListener('abort', onAbort, { once: true });
  });
  const end = await Promise.race([interrupted, server.child.ended.then(() => 'Ended' as const)]);
  await stopServer(server);
  return end;
}
