import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { schemeOf } from './backbone/backbone-uri.ts';
import { createLoadProgress } from './backbone/load-progress.ts';
import { systemClock } from './clock.ts';
import { loadProcessConfig } from './config.ts';
import { createEngine } from './create-engine.ts';
import type { RunningServer } from './create-server.ts';
import { createImageClient } from './image/image-client.ts';
import { createServer } from './create-server.ts';
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
const { service, namespace, podName } = settings;
const log = pino({
  level: settings.logLevel,
  base: service === null ? { pid: process.pid } : { service, namespace, pod: podName },
});
let server: RunningServer | null = null;
const leaving = new AbortController();

async function leave(): Promise<void> {
  // A second signal means now.
  if (leaving.signal.aborted) process.exit(1);
  leaving.abort();
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
  const progress = createLoadProgress(schemeOf(settings.backboneUri));
  const hostScript = fileURLToPath(new URL('engine-host.mjs', import.meta.url));
  server = await createServer({
    config: settings,
    ...createEngine(settings, { progress, log, hostScript }),
    images: createImageClient({
      hostScript: fileURLToPath(new URL('image-host.mjs', import.meta.url)),
      maxPixels: settings.requestLimits.maxImagePixels,
      onEnd: (detail) => {
        log.warn({ component: 'images', detail }, 'image decoder ended');
      },
    }),
    progress,
    clock: systemClock,
    log,
    metrics: createServerMetrics(
      createMetricRegistry(settings.modelName, { hasExemplars: settings.metricsExemplars }),
      VERSION,
    ),
    version: VERSION,
  });
  await server.start();
} catch (error) {
  // A start that a signal cut short ends with the shutdown.
  if (!leaving.signal.aborted) {
    await server?.close();
    process.stderr.write(`${describeStartFailure(error, settings)}\n`);
    process.exit(1);
  }
}
