import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { systemClock } from './clock.ts';
import { loadProcessConfig } from './config.ts';
import type { RunningServer } from './create-server.ts';
import { createServer } from './create-server.ts';
import { createEngineClient } from './engine/client.ts';
import { readModelNotes } from './engine/model-notes.ts';
import { createMetricRegistry } from './metrics.ts';
import { createServerMetrics } from './server-metrics.ts';
import { describeStartFailure } from './start-failure.ts';
import { VERSION } from './version.ts';

const config = loadProcessConfig();
if (!config.ok) {
  process.stderr.write(`${config.problems.join('\n')}\n`);
  process.exit(2);
}
const settings = config.value;
const log = pino({ level: settings.logLevel });
let server: RunningServer | null = null;
let isLeaving = false;

async function leave(): Promise<void> {
  // A second signal means now.
  if (isLeaving) process.exit(1);
  isLeaving = true;
  await server?.shutdown();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    void leave();
  });
}
if (settings.exitWithStdin) {
  process.stdin.on('end', () => {
    void leave();
  });
  process.stdin.resume();
}

try {
  const notes = await readModelNotes(settings.backbonePath);
  server = await createServer({
    config: settings,
    engine: createEngineClient({
      hostScript: fileURLToPath(new URL('engine-host.mjs', import.meta.url)),
      source: {
        path: settings.backbonePath,
        outputName: settings.outputName,
        digest: settings.backboneDigest,
      },
      engine: settings.engine,
      threads: settings.engineThreads,
    }),
    clock: systemClock,
    log,
    metrics: createServerMetrics(createMetricRegistry(settings.modelName), VERSION),
    version: VERSION,
    labels: notes.labels,
  });
  await server.start();
} catch (error) {
  await server?.close();
  process.stderr.write(`${describeStartFailure(error, settings)}\n`);
  process.exit(1);
}
