import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Express, RequestHandler } from 'express';
import express from 'express';
import type { Clock } from '../clock.ts';
import type { Draws } from '../evidence/draws.ts';
import type { ImageDecoder } from '../image/image-decoder.ts';
import { isLeaving, type ServerLifecycle } from '../lifecycle.ts';
import type { LoadedModel } from '../loaded-model.ts';
import type { ServingControl } from '../serving.ts';
import type { TrafficMetrics } from '../traffic-metrics.ts';
import { registerRoutes } from './data-routes.ts';
import type { ErrorObserver } from './error-handler.ts';
import { answerError, createErrorHandler, notFound } from './error-handler.ts';
import type { InferRequest } from './infer-request.ts';
import { describeDataPort } from './openapi/description.ts';
import type { Protocol } from './protocols.ts';
import { OPEN_INFERENCE, PREDICT } from './protocols.ts';
import { HangUpError } from './read-body.ts';
import { respondJson } from './respond.ts';
import { healthHandlers } from './routes/health.ts';
import { createInference } from './routes/infer.ts';
import { checkModelPath, modelHandlers } from './routes/model.ts';
import { servedModelHandlers } from './routes/served-model.ts';

export interface DataAppDependencies {
  readonly modelName: string;
  readonly version: string;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly servings: ServingControl;
  readonly lifecycle: ServerLifecycle;
  readonly metrics: TrafficMetrics;
  readonly loaded: () => LoadedModel | null;
  readonly images: ImageDecoder;
  readonly errors: ErrorObserver;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The data port: Open Inference Protocol v2 and TensorFlow Serving's v1, over REST. Never listens. Inference under the model's plain
 * paths, which is all the traffic there is, does not pass through express: finding the route cost more than reading the request.
 */
export function createDataApp(dependencies: DataAppDependencies): RequestListener {
  const { modelName, errors } = dependencies;
  const inference = createInference(dependencies);
  const infer: Answer = (request, response) => inference(OPEN_INFERENCE, request, response);
  const predict: Answer = (request, response) => inference(PREDICT, request, response);
  const app = createRoutedApp(dependencies, inference);

  const inferPath = `/v2/models/${modelName}/infer`;
  const predictPath = `/v1/models/${modelName}:predict`;

  function answer(
    path: string,
    protocol: Answer,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    protocol(request, response).catch((error: unknown) => {
      if (error instanceof HangUpError) return;
      if (response.headersSent) response.destroy();
      else {
        const { headers } = request;
        answerError(error, { method: 'POST', path, headers }, response, errors);
      }
    });
  }

  return (request, response) => {
    const { url } = request;
    // Whoever keeps a connection to a server that leaves learns it with any answer, and opens the next one elsewhere.
    if (isLeaving(dependencies.lifecycle.stage)) response.setHeader('connection', 'close');
    if (url === inferPath && request.method === 'POST') answer(inferPath, infer, request, response);
    else if (url === predictPath && request.method === 'POST') {
      answer(predictPath, predict, request, response);
    } else app(request, response);
  };
}

function createRoutedApp(
  dependencies: DataAppDependencies,
  inference: ReturnType<typeof createInference>,
): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  const description = JSON.stringify(describeDataPort(dependencies));

  function inferenceRoute<T extends InferRequest>(
    protocol: Protocol<T>,
  ): {
    readonly method: 'post';
    readonly handler: RequestHandler;
  } {
    return {
      method: 'post',
      handler: async (request, response) => {
        checkModelPath(request.params, dependencies);
        await inference(protocol, request, response);
      },
    };
  }

  // Other verbs of the same protocol: nothing is there, rather than another method.
  app.use('/v1/models', (request, response, next) => {
    const verb = /:([^/]*)$/.exec(request.path)?.[1];
    if (verb === undefined || verb === 'predict') next();
    else void notFound(request, response, next);
  });
  registerRoutes(app, {
    ...healthHandlers(dependencies),
    ...modelHandlers(dependencies),
    ...servedModelHandlers(dependencies),
    '/openapi.json': {
      method: 'get',
      handler: (_, response) => {
        respondJson(response, 200, description);
      },
    },
    '/v2/models/{model}/infer': inferenceRoute(OPEN_INFERENCE),
    '/v2/models/{model}/versions/{version}/infer': inferenceRoute(OPEN_INFERENCE),
    '/v1/models/{model}:predict': inferenceRoute(PREDICT),
    '/v1/models/{model}/versions/{version}:predict': inferenceRoute(PREDICT),
    '/v1/models/{model}/labels/{label}:predict': inferenceRoute(PREDICT),
  });
  app.use(notFound);
  app.use(createErrorHandler(dependencies.errors));
  return app;
}
