import express from 'express';
import type { Express } from 'express';
import type { Clock } from '../clock.ts';
import type { Draws } from '../evidence/draws.ts';
import type { ServerLifecycle } from '../lifecycle.ts';
import type { LoadedModel } from '../loaded-model.ts';
import type { ServingControl } from '../serving.ts';
import type { TrafficMetrics } from '../traffic-metrics.ts';
import type { ErrorObserver } from './error-handler.ts';
import { createErrorHandler, methodNotAllowed, notFound } from './error-handler.ts';
import { healthRoutes } from './routes/health.ts';
import { inferRoute } from './routes/infer.ts';
import { modelRoutes } from './routes/model.ts';

export interface DataAppDependencies {
  readonly modelName: string;
  readonly version: string;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly servings: ServingControl;
  readonly lifecycle: ServerLifecycle;
  readonly metrics: TrafficMetrics;
  readonly loaded: () => LoadedModel | null;
  readonly errors: ErrorObserver;
}

/** The data port: Open Inference Protocol v2 over REST. Never listens. */
export function createDataApp(dependencies: DataAppDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);

  const infer = inferRoute(dependencies);
  for (const path of ['/v2/models/:model/infer', '/v2/models/:model/versions/:version/infer']) {
    app.post(path, infer);
    app.all(path, methodNotAllowed('POST'));
  }
  app.use(healthRoutes(dependencies));
  app.use(modelRoutes(dependencies));
  app.use(notFound);
  app.use(createErrorHandler(dependencies.errors));
  return app;
}
