import express from 'express';
import type { Express } from 'express';
import type { ServerLifecycle } from '../lifecycle.ts';
import type { ErrorObserver } from './error-handler.ts';
import { createErrorHandler, methodNotAllowed, notFound } from './error-handler.ts';
import { respondEmpty } from './respond.ts';

export interface MetricsAppDependencies {
  readonly lifecycle: ServerLifecycle;
  /** The backbone is loaded, or the process knows and tells what keeps it: nothing that a restart would help. */
  readonly hasStarted: () => boolean;
  /** Rendered metric by metric, so that no scrape holds the event loop. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly errors: ErrorObserver;
}

/**
 * The metrics port: /metrics, and the probes /startupz, /livez (the event loop turns) and /readyz. A flood on the data port cannot
 * fail probes.
 */
export function createMetricsApp(dependencies: MetricsAppDependencies): Express {
  const { lifecycle, hasStarted, render, errors } = dependencies;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/metrics', async (_, response) => {
    const { contentType, text } = await render();
    response.writeHead(200, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
  app.get('/livez', (_, response) => {
    respondEmpty(response, 200);
  });
  app.get('/readyz', (_, response) => {
    respondEmpty(response, lifecycle.isReady() ? 200 : 503);
  });
  app.get('/startupz', (_, response) => {
    respondEmpty(response, hasStarted() ? 200 : 503);
  });
  app.all(['/metrics', '/livez', '/readyz', '/startupz'], methodNotAllowed('GET'));
  app.use(notFound);
  app.use(createErrorHandler(errors));
  return app;
}
