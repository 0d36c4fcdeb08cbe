import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../server/clock.ts';
import { createEngineClient, type EngineClientOptions } from '../../server/engine/client.ts';
import { createMetricRegistry } from '../../server/metrics.ts';
import { createServerMetrics } from '../../server/server-metrics.ts';
import { parseMetricPage } from './metric-page.ts';
import { MODEL, send, startServerOn, type ServerOnEngine } from './test-server.ts';

export const HOST_SCRIPT = fileURLToPath(
  new URL('../../dist/bundle/engine-host.mjs', import.meta.url),
);

export interface RealEngineServer extends ServerOnEngine<ReturnType<typeof createEngineClient>> {
  /** Value of a series, as `name{cause="stuck"}` without the model. */
  metric(series: string): Promise<number | undefined>;
}

/** A server in this process on a real engine host; both end with the test. */
export async function startRealEngineServer(
  modelPath: string,
  {
    environment = {},
    ...options
  }: Partial<EngineClientOptions> & {
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<RealEngineServer> {
  const engine = createEngineClient({
    hostScript: HOST_SCRIPT,
    source: { path: modelPath, outputName: null, digest: null },
    engine: 'Auto',
    threads: 2,
    ...options,
  });
  const server = await startServerOn(engine, {
    clock: systemClock,
    metrics: createServerMetrics(createMetricRegistry(MODEL), '0.1.0'),
    environment,
  });
  onTestFinished(() => server.close());
  return {
    ...server,
    metric: async (series) => {
      const page = parseMetricPage((await send(server.metrics, '/metrics')).body.toString());
      const found = [...page.series].find(
        ([key]) =>
          key.replace(`,model="${MODEL}"`, '').replace(`{model="${MODEL}"}`, '') === series,
      );
      return found?.[1];
    },
  };
}
