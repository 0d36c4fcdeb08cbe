// What tests of fetching a backbone share: hosts, a cache and mounted directories that go with each test.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { LoadFailure } from '../../crds/wire/loading-state.ts';
import type { Resolve } from '../../server/net/checked-addresses.ts';
import { toLoadFailure } from '../../server/backbone/load-error.ts';
import { obtainBackbone, type ObtainOptions } from '../../server/backbone/obtain-backbone.ts';
import { loadConfig } from '../../server/config.ts';
import { startModelHost, type ModelHost } from './model-host.ts';
import { mountFiles } from './mount-files.ts';

export const MODEL = Buffer.from('not really a model, and long enough to be cut in two');
export const DIGEST = `sha256:${createHash('sha256').update(MODEL).digest('hex')}`;

/** Serves the model at /m.onnx and nothing else. */
export function serveModel(request: IncomingMessage, response: ServerResponse): void {
  if (request.url?.split('?')[0] === '/m.onnx') response.end(MODEL);
  else response.writeHead(404).end();
}

export interface Asked {
  readonly uri: string;
  readonly ca?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly resolve?: Resolve;
  readonly limits?: ObtainOptions['limits'];
  readonly signal?: AbortSignal;
}

export interface FetchBench {
  /** Of this test; gone after it. */
  readonly dir: () => string;
  readonly host: (
    handle: RequestListener,
    more?: Parameters<typeof startModelHost>[1],
  ) => Promise<ModelHost>;
  readonly mount: (name: string, files: Readonly<Record<string, string>>) => string;
  readonly obtain: (asked: Asked) => Promise<string>;
  /** How it fails; nothing half stays behind. */
  readonly failure: (asked: Asked) => Promise<LoadFailure>;
}

const loopback: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

/** Called once per test file. */
export function fetchBench(): FetchBench {
  let dir = '';
  const hosts: ModelHost[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'layercache-fetch-'));
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    rmSync(dir, { recursive: true, force: true });
  });

  const mount = (name: string, files: Readonly<Record<string, string>>): string =>
    mountFiles(dir, name, files);

  async function obtain({ uri, ca, environment, resolve, limits, signal }: Asked): Promise<string> {
    const config = loadConfig({
      LAYERCACHE_MODEL_NAME: 'm',
      LAYERCACHE_BACKBONE_URI: uri,
      LAYERCACHE_CACHE_DIR: join(dir, 'cache'),
      LAYERCACHE_ALLOWED_HOSTS: '*.test',
      ...(ca === undefined ? {} : { LAYERCACHE_CA_BUNDLE_DIR: mount('ca', { 'ca.crt': ca }) }),
      ...environment,
    });
    if (!config.ok) throw new Error(config.problems.join());
    return obtainBackbone(config.value, {
      resolve: resolve ?? loopback,
      signal: signal ?? new AbortController().signal,
      ...(limits === undefined ? {} : { limits }),
    });
  }

  return {
    dir: () => dir,
    mount,
    obtain,
    host: async (handle, more = {}) => {
      const started = await startModelHost(handle, more);
      hosts.push(started);
      return started;
    },
    failure: async (asked) => {
      const outcome = await obtain(asked).then(
        (path) => new Error(`it came: ${path}`),
        (error: unknown) => error,
      );
      const left = join(dir, 'cache', 'backbones');
      expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
      return toLoadFailure(outcome);
    },
  };
}
