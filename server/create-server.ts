import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { ServerConfig } from './config.ts';
import type { StateDependencies } from './describe-state.ts';
import { describeEvidence, describeState } from './describe-state.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { createDraws } from './evidence/draws.ts';
import { createAdminApp } from './http/admin-app.ts';
import { createDataApp } from './http/data-app.ts';
import type { ErrorObserver } from './http/error-handler.ts';
import { closeServer, createHttpServer, listen } from './http/http-server.ts';
import { createMetricsApp } from './http/metrics-app.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLoadedModel } from './load-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { compareSafety } from './plan-policy.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { createServerEvents } from './server-events.ts';
import { createServingControl, limitsOf } from './serving.ts';
import { readMountedPolicy } from './store/policy-files.ts';
import { WIRE_LIMITS } from '../crds/wire/limits.ts';

export interface ServerDependencies {
  readonly config: ServerConfig;
  readonly engine: EngineClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ServerMetrics;
  readonly version: string;
  /** From `layercache.json` beside the model. */
  readonly labels: readonly string[];
}

export interface Ports {
  readonly dataPort: number;
  readonly adminPort: number;
  readonly metricsPort: number;
}

export interface RunningServer {
  readonly ports: Ports;
  /** Loads the backbone and the policy; rejects with EngineError when the backbone cannot be served. */
  start(): Promise<void>;
  /** The end of a pod: not ready, keep serving for the delay, finish, close. Resolves when all is closed. */
  shutdown(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

const REREAD_MS = 30_000;
const SAFETY_CHECK_MS = 1_000;

/** Opens the three ports and wires the server; `start` makes it ready. */
export async function createServer(dependencies: ServerDependencies): Promise<RunningServer> {
  const { config, engine, clock, log, metrics, version } = dependencies;
  const identity = {
    podUid: config.podUid === '' ? randomUUID() : config.podUid,
    bootId: randomUUID(),
  };
  const draws = createDraws();
  const lifecycle = createLifecycle(clock);
  const servings = createServingControl((planId) => {
    engine.release(planId).catch(() => undefined);
  });
  const mountedDirs: string[] = [];
  const timers: NodeJS.Timeout[] = [];
  let loaded: LoadedModel | null = null;
  let mountedText = '';

  const errors: ErrorObserver = {
    refused: (error) => {
      metrics.traffic.requestRefused(error.code);
    },
    failed: (id, error) => {
      log.error({ component: 'http', requestId: id, err: error }, 'request failed');
    },
  };
  const quiet: ErrorObserver = { ...errors, refused: () => undefined };
  const stateDependencies: StateDependencies = {
    identity,
    version,
    modelName: config.modelName,
    engine,
    servings,
    lifecycle,
  };

  async function drain(): Promise<void> {
    lifecycle.enter('Draining');
    await loaded?.batcher.whenIdle();
  }

  const dataServer = createHttpServer(
    createDataApp({
      modelName: config.modelName,
      version,
      clock,
      draws,
      servings,
      lifecycle,
      metrics: metrics.traffic,
      loaded: () => loaded,
      errors,
    }),
    { maxBodyBytes: () => limitsOf(servings.latest()).maxRequestBytes },
  );
  const adminServer = createHttpServer(
    createAdminApp({
      loaded: () => loaded,
      state: (model) => describeState(stateDependencies, model),
      evidence: (model, after) => describeEvidence(stateDependencies, model, after),
      drain,
      errors: quiet,
    }),
    { maxBodyBytes: () => WIRE_LIMITS.headBundleBytes },
  );
  const metricsServer = createHttpServer(
    createMetricsApp({
      lifecycle,
      render: async () => {
        metrics.gather({ lifecycle, engine, loaded, servings });
        return metrics.render();
      },
      errors: quiet,
    }),
    { maxBodyBytes: () => 0 },
  );

  async function readMount(): Promise<void> {
    if (config.policyDir === null || loaded === null) return;
    const mounted = await readMountedPolicy(config.policyDir);
    if (mounted === null) return;
    mountedDirs[0] = mounted.dir;
    const { result, reason } = loaded.applier.acknowledgement();
    // A text that was applied needs no second reading; a refused one may fit by now.
    if (mounted.text === mountedText && result !== 'Rejected' && reason === '') return;
    mountedText = mounted.text;
    await loaded.applier.apply(mounted.text, 'mount');
  }

  /** Staleness comes and goes with time alone. */
  function checkSafety(): void {
    const serving = servings.current();
    const policy = serving?.policy ?? null;
    if (loaded === null || serving === null || policy === null) return;
    const view = loaded.safety.view(policy);
    const change = compareSafety(serving, policy, view);
    if (change === 'Less' && view.isStale) events.switchedOff('stale_policy');
    if (change !== 'Same') loaded.applier.refresh();
  }

  const events = createServerEvents({ log, metrics, clock });

  engine.onStatus((status, cause) => {
    lifecycle.engineUp(status === 'Up');
    events.engineStatus(status, cause);
    if (status !== 'Up') servings.forgetPlans();
    else if (loaded !== null) loaded.applier.replan().catch(() => undefined);
  });

  const ports: Ports = {
    dataPort: await listen(dataServer, config.dataPort, config.bindHost),
    adminPort: await listen(adminServer, config.adminPort, config.bindHost),
    metricsPort: await listen(metricsServer, config.metricsPort, config.bindHost),
  };
  log.info({ component: 'server', ...ports }, 'listening');

  async function close(): Promise<void> {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(
      [dataServer, adminServer, metricsServer].map((server) => closeServer(server, 1_000)),
    );
    await engine.close();
  }

  return {
    ports,
    start: async () => {
      const startedMs = clock.monotonicMs();
      const report = await engine.start();
      metrics.backboneLoaded(report, (clock.monotonicMs() - startedMs) / 1000);
      loaded = createLoadedModel(
        {
          config,
          identity,
          engine,
          servings,
          clock,
          draws,
          metrics: metrics.traffic,
          labels: dependencies.labels,
          mountedDirs,
          events,
        },
        report,
      );
      const { applier, windows } = loaded;
      await applier.replan();
      await readMount();
      timers.push(
        setInterval(() => void readMount().catch(events.diskFailed), REREAD_MS),
        setInterval(checkSafety, SAFETY_CHECK_MS),
        setInterval(() => void windows.close(), config.evidenceWindowMs),
      );
      lifecycle.engineUp(engine.status === 'Up');
      if (lifecycle.stage === 'Starting') lifecycle.enter('Serving');
      log.info({ component: 'server', model: config.modelName }, 'ready');
    },
    shutdown: async () => {
      lifecycle.enter('Leaving');
      log.info({ component: 'server' }, 'leaving');
      await delay(config.drainDelayMs);
      await Promise.race([drain(), delay(config.drainTimeoutMs)]);
      // The last windows stay readable for one more pull while the ports close.
      await loaded?.windows.close();
      await closeServer(dataServer, config.drainTimeoutMs);
      await close();
      log.info({ component: 'server' }, 'ended');
    },
    close,
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
