import express from 'express';
import type { Express } from 'express';
import type { ServerLifecycle } from '../lifecycle.ts';
import type { ErrorObserver } from './error-handler.ts';
import { createErrorHandler, methodNotAllowed, notFound } from './error-handler.ts';
import { respondEmpty } from './respond.ts';

export interface MetricsAppDependencies {
  readonly lifecycle: ServerLifecycle;
  /** Rendered metric by metric, so that no scrape holds the event loop. */
  readonly render: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly errors: ErrorObserver;
}

/** The metrics port: /metrics, /livez (the event loop turns), /readyz. A flood on the data port cannot fail probes. */
export function createMetricsApp({ lifecycle, render, errors }: MetricsAppDependencies): Express {
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
  app.all(['/metrics', '/livez', '/readyz'], methodNotAllowed('GET'));
  app.use(notFound);
  app.use(createErrorHandler(errors));
  return app;
}
