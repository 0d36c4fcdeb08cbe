// What the operator makes of a store that dies and of definitions that are not those of its release.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemKubeClock } from '../../../operator/kube/clock.ts';
import { whyUnavailable } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { committedDefinitions, withoutRules } from '../api/definitions.ts';
import { startResnet, type Resnet } from './start-resnet.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordBack = openRecord('definition-back');

const unavailable = await whyUnavailable('control-plane');
const DEFINITION =
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cachedmodelservices.layercache.io';

/** Seldom enough that a status is written between two. */
const TRIES_A_TOUCH = 10;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
}
interface Version {
  readonly name: string;
  readonly schema: { readonly openAPIV3Schema: Schema };
}
interface Definition {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec: { readonly versions: readonly Version[] };
}

describe.skipIf(unavailable !== null)('when what the operator stands on changes', () => {
  let resnet: Resnet;
  let plane: Resnet['plane'];
  let namespace: string;
  let user: Resnet['user'];
  let kubectl: Resnet['kubectl'];

  beforeAll(async () => {
    resnet = await startResnet('Ready');
    ({ plane, namespace, user, kubectl } = resnet);
  }, 120_000);
  afterAll(() => resnet.stop());

  /** Again and again: a definition that was just replaced may not be what is served. */
  async function edit(spec: object): Promise<void> {
    const ref = { kind: 'CachedModelService', namespace, name: 'resnet' } as const;
    await eventually(() => user.mergePatch(ref, { spec }), 60_000);
  }
  const deployment = () => user.get({ kind: 'Deployment', namespace, name: 'resnet' });
  /** What the operator made of a count of pods tells that it is at work. */
  async function expectAtWork(replicas: number): Promise<void> {
    await eventually(async () => {
      await edit({ replicas });
      expect((await deployment()).spec).toMatchObject({ replicas });
      expect(await kubectl('get', 'cms/resnet')).toMatch(/True +Serving/);
    }, 100_000);
  }

  async function children(): Promise<readonly (string | undefined)[]> {
    const kinds = ['ConfigMap', 'Secret', 'ServiceAccount', 'Service', 'Deployment'] as const;
    const lists = await Promise.all(
      kinds.map((kind) => user.list(kind, { namespace, labelSelector: 'layercache.io/service' })),
    );
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.uid)).toSorted();
  }

  test('etcd that is killed and comes back: what changed before is served, and nothing is made twice', async () => {
    await expectAtWork(2);
    const before = await children();
    await kubectl('scale', 'cms/resnet', '--replicas=3');
    await plane.kill('etcd');
    await plane.start('etcd');
    await eventually(async () => {
      expect((await deployment()).spec).toMatchObject({ replicas: 3 });
    }, 100_000);
    await expectAtWork(1);
    expect(await children()).toEqual(before);
  });

  describe('a definition of another release', () => {
    const [committed] = committedDefinitions() as unknown as [Definition];

    /** The committed one with other versions. */
    const changed = (change: (own: Version) => readonly object[]): object => ({
      ...committed,
      spec: { ...committed.spec, versions: committed.spec.versions.flatMap(change) },
    });

    /** Without rules, which speak of fields that may be gone, and with another schema of the spec. */
    function withSpec(change: (spec: Schema) => Schema): object {
      return changed((own) => {
        const { properties = {}, ...schema } = own.schema.openAPIV3Schema;
        const spec = change(properties.spec ?? {});
        const openAPIV3Schema = { ...schema, properties: { ...properties, spec } };
        return [withoutRules({ ...own, schema: { openAPIV3Schema } })];
      });
    }

    async function replaceDefinition(body: object): Promise<void> {
      const now = (await plane.request({ path: DEFINITION })).body as Definition;
      const { resourceVersion } = now.metadata;
      const object = { ...body, metadata: { ...committed.metadata, resourceVersion } };
      const answer = await plane.request({ method: 'PUT', path: DEFINITION, body: object });
      expect(answer.status, JSON.stringify(answer.body).slice(0, 500)).toBe(200);
    }

    /** What a definition lost is gone for a watcher with the next write of the object; it is touched once the definition is in force. */
    async function expectValid(condition: object): Promise<void> {
      let tries = 0;
      await eventually(async () => {
        if (tries % TRIES_A_TOUCH === 0)
          await kubectl('label', 'cms/resnet', `touched=${tries}`, '--overwrite');
        tries += 1;
        const text = await kubectl('get', 'cms/resnet', '-o', 'jsonpath={.status.conditions}');
        const wanted: unknown = expect.objectContaining({ type: 'Valid', ...condition });
        expect(JSON.parse(text)).toContainEqual(wanted);
      }, 100_000);
    }

    /** A field is dropped from a write that comes before its definition is in force. */
    async function editUntilKept(field: string, value: unknown): Promise<void> {
      await eventually(async () => {
        await edit({ [field]: value });
        const text = await kubectl('get', 'cms/resnet', '-o', 'jsonpath={.spec}');
        expect(JSON.parse(text)).toMatchObject({ [field]: value });
      }, 30_000);
    }

    test('that lost a field: Valid is False, what runs goes on, and the right one brings all back', async () => {
      await expectAtWork(1);
      const before = await children();
      await replaceDefinition(
        withSpec(({ properties = {}, ...spec }) => ({
          ...spec,
          required: ['backbone'],
          properties: Object.fromEntries(
            Object.entries(properties).filter(([name]) => name !== 'accuracy'),
          ),
        })),
      );
      await expectValid({ status: 'False', reason: 'InvalidSpec' });
      expect((await deployment()).spec).toMatchObject({ replicas: 1 });
      await replaceDefinition(committed);
      await editUntilKept('accuracy', { maxDisagreement: '1%' });
      await expectValid({ status: 'True' });
      await expectAtWork(2);
      expect(await children()).toEqual(before);
    });

    test('that has a field more: the operator goes on, and a service that uses it is told so and runs on', async () => {
      await replaceDefinition(
        withSpec(({ properties, ...spec }) => ({
          ...spec,
          properties: { ...properties, ofTomorrow: { type: 'string' } },
        })),
      );
      await expectAtWork(1);
      await editUntilKept('ofTomorrow', 'x');
      await expectValid({
        status: 'False',
        message: expect.stringContaining('ofTomorrow') as unknown,
      });
      expect((await deployment()).spec).toMatchObject({ replicas: 1 });
      await edit({ ofTomorrow: null });
      await expectValid({ status: 'True' });
      await replaceDefinition(committed);
    });

    test('without our version: what runs goes on, and so does the operator once it is back', async () => {
      const before = await children();
      await replaceDefinition(
        changed((own) => [
          { ...own, served: false },
          { ...own, name: 'v9', storage: false },
        ]),
      );
      await eventually(async () => {
        const path = '/apis/layercache.io/v1alpha1/cachedmodelservices';
        expect((await plane.request({ path })).status).toBe(404);
      }, 30_000);
      expect((await deployment()).spec).toMatchObject({ replicas: 1 });
      const backMs = systemKubeClock.monotonicMs();
      await replaceDefinition(committed);
      await expectAtWork(2);
      recordBack({ seconds: (systemKubeClock.monotonicMs() - backMs) / 1_000 });
      expect(await children()).toEqual(before);
    });
  });
});
