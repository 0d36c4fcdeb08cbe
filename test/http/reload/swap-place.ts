import { afterAll, beforeAll } from 'vitest';
import { faultyHost, type FaultyHost } from '../../support/faulty-engine/faulty-host.ts';
import { residualServers } from '../../support/residual-servers.ts';
import type { StartedServer } from '../../support/server-process.ts';

/** Called once per test file. Starts a server; with `isFaulty`, one whose engine takes faults. It ends with its test. */
export function swapPlace(): (isFaulty?: boolean) => StartedServer {
  const start = residualServers();
  let host: FaultyHost;
  beforeAll(async () => {
    host = await faultyHost();
  });
  afterAll(() => host.remove());
  return (isFaulty = false) =>
    start({ LAYERCACHE_ENGINE_THREADS: '2' }, isFaulty ? host.program : undefined);
}
