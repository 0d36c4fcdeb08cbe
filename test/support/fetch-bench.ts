// What tests of fetching a backbone share: a bench with hosts, and a cache on it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LoadFailure } from '../../crds/wire/loading-state.ts';
import type { Resolve } from '../../server/net/checked-addresses.ts';
import { toLoadFailure } from '../../server/backbone/load-error.ts';
import { obtainBackbone, type ObtainOptions } from '../../server/backbone/obtain-backbone.ts';
import { loadConfig } from '../../server/config.ts';
import { hostBench, type HostBench } from './host-bench.ts';

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

export interface FetchBench extends HostBench {
  readonly obtain: (asked: Asked) => Promise<string>;
  /** How it fails; nothing half stays behind. */
  readonly failure: (asked: Asked) => Promise<LoadFailure>;
}

const loopback: Resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

/** Called once per test file. */
export function fetchBench(): FetchBench {
  const bench = hostBench();
  const { dir, mount } = bench;

  async function obtain({ uri, ca, environment, resolve, limits, signal }: Asked): Promise<string> {
    const config = loadConfig({
      LAYERCACHE_MODEL_NAME: 'm',
      LAYERCACHE_BACKBONE_URI: uri,
      LAYERCACHE_CACHE_DIR: join(dir(), 'cache'),
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
    ...bench,
    obtain,
    failure: async (asked) => {
      const outcome = await obtain(asked).then(
        (path) => new Error(`it came: ${path}`),
        (error: unknown) => error,
      );
      const left = join(dir(), 'cache', 'backbones');
      expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
      return toLoadFailure(outcome);
    },
  };
}
