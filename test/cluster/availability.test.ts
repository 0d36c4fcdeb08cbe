import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startControlPlane, whyUnavailable } from '../support/control-plane.ts';
import { controlPlanePrograms } from './harness/programs.ts';

const unavailable = await whyUnavailable('control-plane');

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What is written to standard error from now on. */
function heard(): () => string {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return () => write.mock.calls.map(([text]) => String(text)).join('');
}

test('a tier that is switched off says so, and on standard error', async () => {
  vi.stubEnv('LAYERCACHE_TEST_CLUSTER', 'off');
  const said = heard();
  expect(await whyUnavailable('control-plane')).toBe('LAYERCACHE_TEST_CLUSTER=off');
  expect(said()).toContain('SKIPPED: tests that need the control-plane tier');
});

describe.skipIf(unavailable !== null)('where programs are', () => {
  test('without root the node is skipped with the reason, and the control plane is not', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(65_534);
    const said = heard();
    expect(await whyUnavailable('node')).toBe('a node with real pods needs root');
    expect(said()).toContain('SKIPPED: tests that need the node tier');
    expect(await whyUnavailable('control-plane')).toBeNull();
  });

  test('etcd and API server come from KUBEBUILDER_ASSETS, what is not there from the cache', async () => {
    vi.stubEnv('KUBEBUILDER_ASSETS', '');
    const cached = await controlPlanePrograms();
    const assets = mkdtempSync(join(tmpdir(), 'layercache-assets-'));
    onTestFinished(() => {
      rmSync(assets, { recursive: true });
    });
    for (const name of ['etcd', 'kube-apiserver']) symlinkSync(cached(name), join(assets, name));
    vi.stubEnv('KUBEBUILDER_ASSETS', assets);
    const program = await controlPlanePrograms();
    expect(program('kube-apiserver')).toBe(join(assets, 'kube-apiserver'));
    expect(program('kube-scheduler')).toBe(cached('kube-scheduler'));
    expect(existsSync(program('kube-scheduler'))).toBe(true);
    const plane = await startControlPlane({ parts: ['etcd', 'apiserver'] });
    onTestFinished(() => plane.stop());
    expect((await plane.request({ path: '/version' })).body).toMatchObject({ minor: '36' });
  });
});
