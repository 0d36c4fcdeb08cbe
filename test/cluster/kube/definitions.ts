import { expect } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';

const FOLDER = new URL('../../../crds', import.meta.url).pathname;

/** Applies the project's definitions and waits until the API server serves them. Again changes nothing. */
export async function installDefinitions(plane: ControlPlane): Promise<void> {
  const { code, stderr } = await plane.kubectl([
    'apply',
    '--server-side',
    '--force-conflicts',
    '-f',
    FOLDER,
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  for (const plural of ['cachedmodelservices', 'cacheheadrevisions']) {
    await eventually(async () => {
      const { status } = await plane.request({ path: `/apis/layercache.io/v1alpha1/${plural}` });
      expect(status).toBe(200);
    }, 20_000);
  }
}
