import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { createAdminPort } from './admin/admin-port.ts';
import type { LoadProgress } from './backbone/load-progress.ts';
import type { Clock } from './clock.ts';
import type { CompanionDesk } from './companion-desk.ts';
import type { ServerConfig } from './config.ts';
import type { StateDependencies } from './describe-state.ts';
import { describeEvidence, describeLoading, describeState } from './describe-state.ts';
import type { EngineClient } from './engine/engine-client.ts';
import type { ModelNotes } from './engine/model-notes.ts';
import { createDraws } from './evidence/draws.ts';
import { createEvidenceReader } from './evidence/evidence-reader.ts';
import { createAdminApp } from './http/admin-app.ts';
import { createDataApp } from './http/data-app.ts';
import type { ErrorObserver } from './http/error-handler.ts';
import { closeServer, createHttpServer, listen } from './http/http-server.ts';
import { createMetricsApp } from './http/metrics-app.ts';
import type { ImageDecoder } from './image/image-decoder.ts';
import { leave } from './leave.ts';
import { createLifecycle } from './lifecycle.ts';
import { createLoadedModel } from './load-model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { compareSafety } from './plan-policy.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { createServerEvents } from './server-events.ts';
import { createServingControl, limitsOf } from './serving.ts';
import type { Students } from './students.ts';
import { warmUp } from './warm-up.ts';
import { createPolicyWatch } from './store/policy-watch.ts';

export interface ServerDependencies {
  readonly config: ServerConfig;
  readonly engine: EngineClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: ServerMetrics;
  readonly version: string;
  readonly progress: LoadProgress;
  /** `layercache.json` beside the model, asked once it is loaded. */
  readonly notes: () => ModelNotes;
  /** Loaded after the backbone; ended with the server. */
  readonly companions: CompanionDesk;
  /** What head bundles bring beside heads; ended with the server. */
  readonly students: Students;
  /** Ended with the server. */
  readonly images: ImageDecoder;
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

const WATCH_MS = 5_000;
const SAFETY_CHECK_MS = 1_000;

/** Opens the three ports and wires the server; `start` makes it ready. */
export async function createServer(dependencies: ServerDependencies): Promise<RunningServer> {
  const { config, engine, clock, log, metrics, version, progress, companions } = dependencies;
  const identity = {
    podUid: config.podUid === '' ? randomUUID() : config.podUid,
    bootId: randomUUID(),
  };
  const draws = createDraws();
  const reader = createEvidenceReader(clock);
  const lifecycle = createLifecycle(clock);
  const servings = createServingControl((planId) => {
    engine.release(planId).catch(() => undefined);
  });
  const levelAtStart = log.level;
  servings.onSwap(({ policy }) => {
    log.level = policy?.limits.logLevel?.toLowerCase() ?? levelAtStart;
  });
  const timers: NodeJS.Timeout[] = [];
  let loaded: LoadedModel | null = null;
  const watch = createPolicyWatch({
    dir: config.policyDir,
    clock,
    applier: () => loaded?.applier ?? null,
    onHigher: () => loaded?.safety.heard(),
  });

  const errors: ErrorObserver = {
    refused: (error, protocol) => {
      metrics.traffic.requestRefused(error.code, protocol);
    },
    failed: ({ id, traceId }, error) => {
      const trace = traceId === null ? {} : { traceId };
      log.error({ component: 'http', requestId: id, ...trace, err: error }, 'request failed');
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
    progress,
    companions,
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
      images: dependencies.images,
      errors,
    }),
    {
      maxBodyBytes: () => limitsOf(servings.latest()).maxRequestBytes,
      limits: config.connectionLimits,
      onRefused: (error) => {
        errors.refused(error, 'v2');
      },
    },
  );
  const admin = createAdminPort({
    config,
    clock,
    log,
    createApp: (peers) =>
      createAdminApp({
        peers,
        loaded: () => loaded,
        state: (model) => describeState(stateDependencies, model),
        loading: () => describeLoading(stateDependencies),
        evidence: (model, after) => describeEvidence(stateDependencies, model, after),
        evidenceRead: (windows) => {
          reader.answered(windows);
        },
        drain,
        errors: quiet,
      }),
  });
  const metricsServer = createHttpServer(
    createMetricsApp({
      lifecycle,
      hasStarted: () => lifecycle.stage !== 'Starting' || progress.now.failure !== null,
      render: async () => {
        metrics.gather({
          ...{ lifecycle, engine, loaded, servings, progress, reader },
          nowMs: clock.nowMs(),
        });
        return metrics.render();
      },
      errors: quiet,
    }),
    { maxBodyBytes: () => 0, limits: config.connectionLimits },
  );

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

  engine.onStatus((status, end) => {
    lifecycle.engineUp(status === 'Up');
    if (end?.cause === 'wrong_answers') lifecycle.engineWrong();
    events.engineStatus(status, end);
    if (status !== 'Up') servings.forgetPlans();
    else if (loaded !== null) loaded.applier.replan().catch(() => undefined);
  });

  const ports: Ports = {
    dataPort: await listen(dataServer, config.dataPort, config.bindHost),
    adminPort: await admin.open(),
    metricsPort: await listen(metricsServer, config.metricsPort, config.bindHost),
  };
  log.info({ component: 'server', ...ports }, 'listening');
  timers.push(setInterval(() => void admin.look().catch(events.diskFailed), WATCH_MS));

  let unfollow = (): void => undefined;

  async function close(): Promise<void> {
    for (const timer of timers) clearInterval(timer);
    unfollow();
    loaded?.remote.close();
    await Promise.all([
      closeServer(dataServer, 1_000),
      admin.close(1_000),
      closeServer(metricsServer, 1_000),
    ]);
    dependencies.images.close();
    companions.close();
    await engine.close();
    await dependencies.students.close();
  }

  return {
    ports,
    start: async () => {
      const startedMs = clock.monotonicMs();
      const report = await engine.start();
      metrics.backboneLoaded(report, (clock.monotonicMs() - startedMs) / 1000, progress);
      await companions.start();
      loaded = createLoadedModel(
        {
          config,
          identity,
          engine,
          servings,
          clock,
          draws,
          metrics: metrics.traffic,
          notes: dependencies.notes(),
          companions,
          students: dependencies.students,
          mountedDirs: watch.dirs,
          events,
        },
        report,
      );
      const { applier, windows, drift } = loaded;
      companions.onLate(() => void applier.companionArrived().catch(() => undefined));
      await applier.replan();
      await watch.look();
      const serving = servings.current();
      if (serving !== null) {
        const { shape } = loaded;
        const warmUpMs = clock.monotonicMs();
        await warmUp({
          dir: config.warmupDir,
          iterations: config.warmupIterations,
          engine,
          serving,
          shape,
          images: dependencies.images,
          onProblem: events.warmUpFailed,
        });
        metrics.warmedUp((clock.monotonicMs() - warmUpMs) / 1000);
      }
      unfollow = watch.follow(events.diskFailed);
      timers.push(
        setInterval(() => void watch.look().catch(events.diskFailed), WATCH_MS),
        setInterval(checkSafety, SAFETY_CHECK_MS),
        setInterval(() => {
          drift.tick();
          loaded?.inputs?.expire();
          void windows.close();
        }, config.evidenceWindowMs),
      );
      lifecycle.engineUp(engine.status === 'Up');
      if (lifecycle.stage === 'Starting') lifecycle.enter('Serving');
      log.info({ component: 'server', model: config.modelName }, 'ready');
    },
    shutdown: async () => {
      await leave({
        lifecycle,
        clock,
        log,
        drainDelayMs: config.drainDelayMs,
        drainTimeoutMs: config.drainTimeoutMs,
        loaded: () => loaded,
        reader,
        drain,
        closeData: (withinMs) => closeServer(dataServer, withinMs),
      });
      await close();
      log.info({ component: 'server' }, 'ended');
    },
    close,
  };
}
