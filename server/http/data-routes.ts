import type { Express, RequestHandler } from 'express';
import { methodNotAllowed } from './error-handler.ts';

/** Every path of the data port, as its OpenAPI description writes it; the first that fits answers. */
export const DATA_PATHS = [
  '/',
  '/openapi.json',
  '/v2',
  '/v2/health/live',
  '/v2/health/ready',
  '/v2/models/{model}',
  '/v2/models/{model}/ready',
  '/v2/models/{model}/infer',
  '/v2/models/{model}/versions/{version}',
  '/v2/models/{model}/versions/{version}/ready',
  '/v2/models/{model}/versions/{version}/infer',
  '/v1/models',
  '/v1/models/{model}:predict',
  '/v1/models/{model}/versions/{version}:predict',
  '/v1/models/{model}/labels/{label}:predict',
  '/v1/models/{model}/metadata',
  '/v1/models/{model}/versions/{version}/metadata',
  '/v1/models/{model}/labels/{label}/metadata',
  '/v1/models/{model}',
  '/v1/models/{model}/versions/{version}',
  '/v1/models/{model}/labels/{label}',
] as const;

export type DataPath = (typeof DATA_PATHS)[number];

/** One method each; the compiler sees to it that no path is left out, here and in the description. */
export type DataRoute =
  | { readonly method: 'get'; readonly handler: RequestHandler }
  | { readonly method: 'post'; readonly handler: RequestHandler };

export function registerRoutes(app: Express, routes: Readonly<Record<DataPath, DataRoute>>): void {
  for (const path of DATA_PATHS) {
    const { method, handler } = routes[path];
    const pattern = toExpressPath(path);
    app[method](pattern, handler);
    app.all(pattern, methodNotAllowed(method.toUpperCase()));
  }
}

/** `{model}:predict` -> `:model\:predict`. */
function toExpressPath(path: DataPath): string {
  return path.replaceAll(':', '\\:').replace(/\{(\w+)\}/g, ':$1');
}
