import { expect } from 'vitest';
import type { KubeObject } from '../../../operator/kube/api.ts';
import type { ControlPlane } from '../../support/control-plane.ts';

const SERVICES = '/apis/layercache.io/v1alpha1/namespaces';

/** Stores a service with its status, as a user and the operator would have. */
export async function storeService(
  plane: ControlPlane,
  namespace: string,
  { metadata, spec, status, ...object }: KubeObject,
): Promise<void> {
  const { name, annotations } = metadata;
  const body = { ...object, metadata: { name, namespace, annotations }, spec };
  const path = `${SERVICES}/${namespace}/cachedmodelservices`;
  const made = await plane.request({ method: 'POST', path, body });
  expect([made.status, made.body]).toEqual([201, made.body]);
  await storeStatus(plane, { namespace, name }, status as Record<string, unknown>);
}

/** Replaces the status. */
export async function storeStatus(
  plane: ControlPlane,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  status: Record<string, unknown>,
): Promise<void> {
  const path = `${SERVICES}/${namespace}/cachedmodelservices/${name}`;
  const { body: live } = await plane.request({ path });
  const body = { ...(live as KubeObject), status };
  const put = await plane.request({ method: 'PUT', path: `${path}/status`, body });
  expect([put.status, put.body]).toEqual([200, put.body]);
}
