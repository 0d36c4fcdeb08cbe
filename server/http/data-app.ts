import type { RequestListener } from 'node:http';
import express from 'express';
import type { Clock } from '../clock.ts';
import type { Draws } from '../evidence/draws.ts';
import type { ServerLifecycle } from '../lifecycle.ts';
import type { LoadedModel } from '../loaded-model.ts';
import type { ServingControl } from '../serving.ts';
import type { TrafficMetrics } from '../traffic-metrics.ts';
import type { ErrorObserver } from './error-handler.ts';
import { answerError, createErrorHandler, methodNotAllowed, notFound } from './error-handler.ts';
import { HangUpError } from './read-body.ts';
import { healthRoutes } from './routes/health.ts';
import { createInference } from './routes/infer.ts';
import { checkModelPath, modelRoutes } from './routes/model.ts';

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

/**
 * The data port: Open Inference Protocol v2 over REST. Never listens. Inference under the model's plain path, which is all the traffic
 * there is, does not pass through express: finding the route cost more than reading the request.
 */
export function createDataApp(dependencies: DataAppDependencies): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);

  const infer = createInference(dependencies);
  const { modelName, errors } = dependencies;
  for (const path of ['/v2/models/:model/infer', '/v2/models/:model/versions/:version/infer']) {
    app.post(path, async (request, response) => {
      checkModelPath(request, modelName);
      await infer(request, response);
    });
    app.all(path, methodNotAllowed('POST'));
  }
  app.use(healthRoutes(dependencies));
  app.use(modelRoutes(dependencies));
  app.use(notFound);
  app.use(createErrorHandler(errors));
  const path = `/v2/models/${modelName}/infer`;
  return (request, response) => {
    if (request.url !== path || request.method !== 'POST') {
      app(request, response);
      return;
    }
    infer(request, response).catch((error: unknown) => {
      if (error instanceof HangUpError) return;
      if (response.headersSent) response.destroy();
      else answerError(error, { method: 'POST', path }, response, errors);
    });
  };
}
