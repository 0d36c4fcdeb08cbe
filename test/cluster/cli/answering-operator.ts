import { expect } from 'vitest';
import type { KubeObject } from '../../../operator/kube/api.ts';
import type { ControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { storeStatus } from './stored-service.ts';

interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** Waits until the annotation is as wanted and then writes the status that an operator would answer with. */
export async function answerWhen(
  plane: ControlPlane,
  { namespace, name }: Place,
  isAsked: (annotations: Readonly<Record<string, string>>) => boolean,
  answer: (annotations: Readonly<Record<string, string>>) => Record<string, unknown>,
): Promise<void> {
  const path = `/apis/layercache.io/v1alpha1/namespaces/${namespace}/cachedmodelservices/${name}`;
  const annotations = await eventually(async () => {
    const { body } = await plane.request({ path });
    const found = (body as KubeObject).metadata.annotations ?? {};
    expect(isAsked(found), JSON.stringify(found)).toBe(true);
    return found;
  }, 20_000);
  await storeStatus(plane, { namespace, name }, answer(annotations));
}
