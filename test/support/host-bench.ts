// What tests of fetching share: hosts, and a folder with what is mounted, that go with each test.
import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { startModelHost, type ModelHost } from './model-host.ts';
import { mountFiles } from './mount-files.ts';

export interface HostBench {
  /** Of this test; gone after it. */
  readonly dir: () => string;
  readonly host: (
    handle: RequestListener,
    more?: Parameters<typeof startModelHost>[1],
  ) => Promise<ModelHost>;
  readonly mount: (name: string, files: Readonly<Record<string, string>>) => string;
}

/** Called once per test file. */
export function hostBench(): HostBench {
  let dir = '';
  const hosts: ModelHost[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'layercache-hosts-'));
  });
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    dir: () => dir,
    mount: (name, files) => mountFiles(dir, name, files),
    host: async (handle, more = {}) => {
      const started = await startModelHost(handle, more);
      hosts.push(started);
      return started;
    },
  };
}
