import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { aServiceObject, SERVING } from '../../support/service-objects.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('as a plugin of the real kubectl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-plugin-'));
  const program = resolve('dist/bundle/layercache.mjs');

  beforeAll(async () => {
    await installDefinitions(plane);
    for (const name of ['kubectl-layercache', 'kubectl_complete-layercache'])
      symlinkSync(program, join(folder, name));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const kubectl = (...words: string[]) =>
    plane.kubectl(words, { environment: { PATH: `${folder}:${process.env.PATH ?? ''}` } });

  test('it reads a service under its other name, and completes its name', async () => {
    const { name: namespace } = await plane.namespace();
    await storeService(plane, namespace, aServiceObject({ status: SERVING }));
    const status = await kubectl('layercache', 'status', 'vision', '-n', namespace);
    expect(status).toMatchObject({ code: 0, stderr: '' });
    expect(status.stdout).toContain('61.3% of requests leave early');
    const help = await kubectl('layercache', 'rollout', '--help');
    expect(help.stdout).toContain('Usage: kubectl layercache rollout');
    const wrong = await kubectl('layercache', 'status', 'visoin', '-n', namespace);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('Did you mean vision?');
    const completed = await kubectl('__complete', 'layercache', 'status', '-n', namespace, 'vi');
    expect(completed.stdout).toContain('vision\n');
  });
});
