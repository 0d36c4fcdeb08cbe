import type { WatchEvent } from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import { ownerOf, type Talk, type Talker } from './api-conformance-talker.ts';
import { eventually } from './eventually.ts';

export const DELETING: readonly Talk[] = [
  {
    rule: 'what is deleted is gone, and deleting it again is an outcome',
    calls: async (t) => {
      await t.api.create(t.map());
      await t.note('delete', t.api.delete(t.ref('ConfigMap', 'a')));
      await t.note('get', t.get('ConfigMap', 'a'));
      await t.note('again', t.api.delete(t.ref('ConfigMap', 'a')));
    },
  },
  {
    rule: 'a delete under a wrong uid or version is a conflict',
    calls: async (t) => {
      const { metadata } = await t.api.create(t.map());
      const { uid = '', resourceVersion = '' } = metadata;
      await t.note('uid', t.api.delete(t.ref('ConfigMap', 'a'), { uid: 'another' }));
      await t.note('version', t.api.delete(t.ref('ConfigMap', 'a'), { uid, resourceVersion: '1' }));
      await t.note('both right', t.api.delete(t.ref('ConfigMap', 'a'), { uid, resourceVersion }));
    },
  },
  {
    rule: 'children go with the last of their owners',
    calls: async (t) => {
      const owner = await t.api.create(t.body('ConfigMap', 'owner'));
      const other = await t.api.create(t.body('ConfigMap', 'other'));
      await t.api.create(t.map({}, ownerOf(owner)));
      await t.api.create(
        t.body(
          'ConfigMap',
          'b',
          {},
          {
            ownerReferences: [
              ...(ownerOf(owner).ownerReferences ?? []),
              ...(ownerOf(other).ownerReferences ?? []),
            ],
          },
        ),
      );
      await t.api.delete(t.ref('ConfigMap', 'owner'));
      await t.isGone('ConfigMap', 'a');
      await eventually(async () => {
        const { metadata } = await t.get('ConfigMap', 'b');
        if (metadata.ownerReferences?.length !== 1) throw new Error('b has two owners');
      }, 20_000);
      await t.api.delete(t.ref('ConfigMap', 'other'));
      await t.isGone('ConfigMap', 'b');
    },
  },
  {
    rule: 'children of a service go with it, and one made too late goes too',
    calls: async (t) => {
      const owner = await t.apply(t.service());
      await t.api.create(t.map({}, ownerOf(owner)));
      await t.note('delete', t.api.delete(t.ref('CachedModelService', 'm')));
      await t.isGone('ConfigMap', 'a');
      await t.api.create(t.body('ConfigMap', 'late', {}, ownerOf(owner)));
      await t.isGone('ConfigMap', 'late');
    },
  },
  {
    rule: 'orphans stay when their owner goes',
    calls: async (t) => {
      const owner = await t.api.create(t.body('ConfigMap', 'owner'));
      await t.api.create(t.map({}, ownerOf(owner)), { fieldManager: 'one' });
      await t.api.delete(t.ref('ConfigMap', 'owner'), { propagation: 'Orphan' });
      await t.isGone('ConfigMap', 'owner');
      const child = await t.get('ConfigMap', 'a');
      await t.note('owners left', Promise.resolve(child.metadata.ownerReferences ?? 'none'));
    },
  },
  {
    rule: 'a finalizer holds a deleted object until it is removed',
    calls: async (t) => {
      await t.api.create(t.map({}, { finalizers: ['example.com/hold'] }), { fieldManager: 'one' });
      await t.note('delete', t.api.delete(t.ref('ConfigMap', 'a')));
      await t.note('held', t.get('ConfigMap', 'a'));
      await t.note(
        'release',
        t.api.mergePatch(
          t.ref('ConfigMap', 'a'),
          { metadata: { finalizers: null } },
          { fieldManager: 'one' },
        ),
      );
      await t.note('gone', t.get('ConfigMap', 'a'));
    },
  },
];

export const READING: readonly Talk[] = [
  ...(
    [
      ['l=1', 'equality'],
      ['l!=1', 'inequality, absent counted'],
      ['l in (1,2)', 'membership'],
      ['l notin (1)', 'exclusion'],
      ['l', 'presence'],
      ['!l', 'absence'],
      ['l=1,m=1', 'all of several'],
    ] as const
  ).map(([labelSelector, what]) => ({
    rule: `a list selects by labels: ${what}`,
    calls: async (t: Talker) => {
      for (const [name, labels] of [
        ['a', { l: '1', m: '1' }],
        ['b', { l: '1' }],
        ['c', { l: '2' }],
        ['d', {}],
      ] as const) {
        await t.api.create(t.body('ConfigMap', name, {}, { labels: { own: 'yes', ...labels } }));
      }
      const { items } = await t.api.list('ConfigMap', {
        namespace: t.namespace,
        labelSelector: `own,${labelSelector}`,
      });
      await t.note('names', Promise.resolve(items.map(({ metadata }) => metadata.name)));
    },
  })),
  {
    rule: 'a list selects by name',
    calls: async (t) => {
      for (const name of ['a', 'b']) await t.api.create(t.body('ConfigMap', name));
      const { items } = await t.api.list('ConfigMap', {
        namespace: t.namespace,
        fieldSelector: 'metadata.name=b',
      });
      await t.note('names', Promise.resolve(items.map(({ metadata }) => metadata.name)));
    },
  },
  {
    rule: 'a list of metadata has no bodies',
    calls: async (t) => {
      await t.api.create(t.map({ x: '1' }, { labels: { own: 'yes' } }), { fieldManager: 'one' });
      const { items } = await t.api.list('ConfigMap', {
        namespace: t.namespace,
        labelSelector: 'own',
        metadataOnly: true,
      });
      await t.note('items', Promise.resolve(items));
    },
  },
  {
    rule: 'a watch from a list tells what happened since, in order',
    calls: async (t) => {
      await t.api.create(t.map({ x: '1' }), { fieldManager: 'one' });
      const { resourceVersion } = await t.api.list('ConfigMap', { namespace: t.namespace });
      await t.api.mergePatch(
        t.ref('ConfigMap', 'a'),
        { data: { x: '2' } },
        { fieldManager: 'one' },
      );
      await t.api.create(t.body('ConfigMap', 'b'), { fieldManager: 'one' });
      await t.api.delete(t.ref('ConfigMap', 'a'));
      await t.note('events', watched(t, resourceVersion, { count: 3 }));
    },
  },
  {
    rule: 'an object that leaves the selection of a watch is deleted for it, one that enters is added',
    calls: async (t) => {
      const { resourceVersion } = await t.api.list('ConfigMap', { namespace: t.namespace });
      await t.api.create(t.map({}, { labels: { l: '1' } }), { fieldManager: 'one' });
      await t.api.mergePatch(
        t.ref('ConfigMap', 'a'),
        { metadata: { labels: { l: null } } },
        { fieldManager: 'one' },
      );
      await t.api.mergePatch(
        t.ref('ConfigMap', 'a'),
        { metadata: { labels: { l: '1' } } },
        { fieldManager: 'one' },
      );
      await t.note('events', watched(t, resourceVersion, { count: 3, labelSelector: 'l=1' }));
    },
  },
  {
    rule: 'a write without change is no event',
    calls: async (t) => {
      const { resourceVersion } = await t.api.list('ConfigMap', { namespace: t.namespace });
      await t.apply(t.map({ x: '1' }));
      await t.apply(t.map({ x: '1' }));
      await t.apply(t.map({ x: '2' }));
      await t.note('events', watched(t, resourceVersion, { count: 2 }));
    },
  },
  {
    rule: 'a watch of one name hears of no other',
    calls: async (t) => {
      const { resourceVersion } = await t.api.list('ConfigMap', { namespace: t.namespace });
      await t.api.create(t.body('ConfigMap', 'b'), { fieldManager: 'one' });
      await t.api.create(t.map(), { fieldManager: 'one' });
      await t.note(
        'events',
        watched(t, resourceVersion, { count: 1, fieldSelector: 'metadata.name=a' }),
      );
    },
  },
  {
    rule: 'a watch of metadata has no bodies',
    calls: async (t) => {
      const { resourceVersion } = await t.api.list('ConfigMap', { namespace: t.namespace });
      await t.api.create(t.map({ x: '1' }), { fieldManager: 'one' });
      await t.note('events', watched(t, resourceVersion, { count: 1, metadataOnly: true }));
    },
  },
];

/** The next so many events of the talk's ConfigMaps; the certificates that clusters put everywhere do not count. */
async function watched(
  t: Talker,
  resourceVersion: string,
  {
    count,
    ...select
  }: { count: number; labelSelector?: string; fieldSelector?: string; metadataOnly?: boolean },
): Promise<unknown> {
  const stop = new AbortController();
  const events: WatchEvent[] = [];
  const options = {
    namespace: t.namespace,
    ...select,
    resourceVersion,
    timeoutSeconds: 20,
    signal: stop.signal,
  };
  await t.api
    .watch('ConfigMap', options, (event) => {
      if (event.type === 'BOOKMARK' || event.object.metadata.name.endsWith('.crt')) return;
      events.push(event);
      if (events.length === count) stop.abort();
    })
    .catch((error: unknown) => {
      if (!(error instanceof ApiStatusError && error.isAborted)) throw error;
    });
  return events;
}
