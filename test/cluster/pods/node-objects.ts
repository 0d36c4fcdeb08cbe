// Objects of the API server as these tests read and write them, without the operator's own client.
import { expect } from 'vitest';
import { KINDS, pathOf, type KindName } from '../../../operator/kube/kinds.ts';
import type { ControlPlane } from '../../support/control-plane.ts';

export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly imageID: string;
      readonly restartCount: number;
      readonly started: boolean;
      readonly ready: boolean;
    }[];
  };
}

interface Named {
  readonly kind: KindName;
  readonly namespace: string;
  readonly name?: string;
}

export async function readObject<T>(
  plane: ControlPlane,
  { kind, ...at }: Named,
  query = '',
): Promise<T> {
  const { status, body } = await plane.request({ path: pathOf(KINDS[kind], at) + query });
  expect(status, JSON.stringify(body)).toBe(200);
  return body as T;
}

export async function createObject(plane: ControlPlane, object: object): Promise<unknown> {
  const { kind, metadata } = object as {
    kind: KindName;
    metadata: { name: string; namespace: string };
  };
  const path = pathOf(KINDS[kind], { namespace: metadata.namespace });
  const { status, body } = await plane.request({ method: 'POST', path, body: object });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

export async function patchObject(
  plane: ControlPlane,
  { kind, ...at }: Required<Named>,
  patch: object,
): Promise<void> {
  const { status, body } = await plane.request({
    method: 'PATCH',
    path: pathOf(KINDS[kind], at),
    contentType: 'application/merge-patch+json',
    body: patch,
  });
  expect(status, JSON.stringify(body)).toBe(200);
}

export async function deleteObject(
  plane: ControlPlane,
  { kind, ...at }: Required<Named>,
): Promise<void> {
  const { status, body } = await plane.request({ method: 'DELETE', path: pathOf(KINDS[kind], at) });
  expect([200, 202, 404], JSON.stringify(body)).toContain(status);
}

export async function podsBy(
  plane: ControlPlane,
  namespace: string,
  labelSelector: string,
): Promise<readonly PodObject[]> {
  const { items } = await readObject<{ items: PodObject[] }>(
    plane,
    { kind: 'Pod', namespace },
    `?labelSelector=${encodeURIComponent(labelSelector)}`,
  );
  return items;
}

export function podsOf(
  plane: ControlPlane,
  namespace: string,
  service: string,
): Promise<readonly PodObject[]> {
  return podsBy(plane, namespace, `layercache.io/service=${service}`);
}

export function isReady({ metadata, status }: PodObject): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && metadata.deletionTimestamp === undefined;
}
