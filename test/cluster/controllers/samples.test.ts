// Every published sample, applied as it stands and run to the end of what pods without a cut of its names can do.
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { createObject, readObject } from '../pods/node-objects.ts';
import type { ServiceObject } from '../pods/running-service.ts';
import { runControllers, type RunningControllers } from './run-controllers.ts';

const plane = await sharedControlPlane();
const FOLDER = 'crds/samples';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const FILES = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));
const SAMPLES = FILES.map((file) => {
  const object = parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as Manifest;
  return { file, object, name: object.metadata.name };
});
const SERVICES = SAMPLES.filter(({ object }) => object.kind === 'CachedModelService');

/** Of ExitsActive: the backbone of these pods has one cut, which no sample names. */
const EXITS: Readonly<Record<string, string>> = {
  'autoscaled.yaml': 'CollectingSamples',
  'camera.yaml': 'TensorNotFound',
  'companion.yaml': 'TensorNotFound',
  'detector-f1.yaml': 'CollectingSamples',
  'detector.yaml': 'CollectingSamples',
  'full.yaml': 'TensorNotFound',
  'gpu.yaml': 'CollectingSamples',
  'own-heads.yaml': 'TensorNotFound',
  'plain-server.yaml': 'NoExits',
  'queue-autoscaled.yaml': 'CollectingSamples',
  'recommend.yaml': 'RecommendOnly',
  'smallest.yaml': 'CollectingSamples',
};

describe.skipIf(plane.unavailable !== null)('a published sample', () => {
  let namespace: string;
  let controllers: RunningControllers;

  beforeAll(async () => {
    await installDefinitions(plane);
    const space = await plane.namespace();
    namespace = space.name;
    controllers = runControllers(plane, namespace);
    // What their users have.
    const priority = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1_000 };
    await plane.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ ...priority, metadata: { name: 'serving' } }),
    });
    const runtime = { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', handler: 'nvidia' };
    await plane.kubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ ...runtime, metadata: { name: 'nvidia' } }),
    });
    for (const name of ['corp-ca', 'vision-warmup']) {
      await createObject(plane, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace },
      });
    }
    const here = SAMPLES.map(({ object, name }) => ({ ...object, metadata: { name } }));
    const list = { apiVersion: 'v1', kind: 'List', items: here };
    const { code, stderr } = await plane.kubectl(['apply', '-n', namespace, '-f', '-'], {
      input: JSON.stringify(list),
    });
    expect(code, stderr).toBe(0);
    return () => space.delete();
  });
  afterAll(() => controllers.stop());

  test('is known to this test', () => {
    expect(SERVICES.map(({ file }) => file)).toEqual(Object.keys(EXITS));
  });

  test.each(SERVICES)(
    '$file is accepted, serves, and has its policy on every pod',
    async ({ file, name }) => {
      await eventually(async () => {
        const ref = { kind: 'CachedModelService', namespace, name } as const;
        const { status } = await readObject<ServiceObject>(plane, ref);
        const said = Object.fromEntries(
          (status.conditions ?? []).map(({ type, reason }) => [type, reason]),
        );
        expect(said, JSON.stringify(status.conditions)).toMatchObject({
          ...{ Valid: 'Accepted', Ready: 'Serving', PolicyApplied: 'AllReplicas' },
          ExitsActive: EXITS[file],
        });
      }, 60_000);
    },
  );
});
