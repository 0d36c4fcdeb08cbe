import { expect } from 'vitest';
import type { ControlPlane } from '../../support/control-plane.ts';
import { aManifest } from '../../unit/crds/v1alpha1/service.ts';

/** Creates a service with the smallest spec. */
export async function makeService(
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<void> {
  const { status } = await plane.request({
    method: 'POST',
    path: `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices`,
    body: aManifest({}, name),
  });
  expect(status).toBe(201);
}
