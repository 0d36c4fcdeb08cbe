import { brief, ownerOf, type Talk } from './api-conformance-talker.ts';

export const CREATING: readonly Talk[] = [
  {
    rule: 'a created object gets uid, version and time, and its creator owns its fields',
    calls: async (t) => {
      await t.note(
        'create',
        t.api.create(t.map({ x: '1' }, { labels: { l: '1' } }), { fieldManager: 'one' }),
      );
      await t.note('get', t.get('ConfigMap', 'a'));
    },
  },
  {
    rule: 'a name is taken once',
    calls: async (t) => {
      await t.note('first', t.api.create(t.map()));
      await t.note('second', t.api.create(t.map({ x: '1' })));
    },
  },
  {
    rule: 'an absent object is not found',
    calls: async (t) => {
      await t.note('get', t.get('ConfigMap', 'a'));
      await t.note('replace', t.api.replace(t.map()));
      await t.note('patch', t.api.mergePatch(t.ref('ConfigMap', 'a'), { data: { x: '1' } }));
      await t.note(
        'status',
        t.apply(t.status({ observedGeneration: 1 }), { subresource: 'status' }),
      );
      await t.note('delete', t.api.delete(t.ref('ConfigMap', 'a')));
    },
  },
  {
    rule: 'an absent namespace is not found',
    calls: async (t) => {
      const lost = t.map({}, { namespace: 'no-such-namespace' });
      await t.note('create', t.api.create(lost));
      await t.note('apply', t.apply(lost));
    },
  },
  {
    rule: 'an object to be created carries no version',
    calls: async (t) => {
      await t.note('create', t.api.create(t.map({}, { resourceVersion: '1' })));
    },
  },
  {
    rule: 'a dry run answers as the call would and stores nothing',
    calls: async (t) => {
      await t.note(
        'create',
        t.api.create(t.map({ x: '1' }), { dryRun: true, fieldManager: 'one' }),
      );
      await t.note('apply', t.apply(t.map({ x: '1' }), { dryRun: true }));
      await t.note('get', t.get('ConfigMap', 'a'));
    },
  },
  {
    rule: 'a dry run of a change answers the change and stores nothing',
    calls: async (t) => {
      await t.apply(t.map({ x: '1' }));
      await t.note('apply', t.apply(t.map({ x: '2' }), { dryRun: true }));
      await t.note('get', t.get('ConfigMap', 'a'));
    },
  },
  {
    rule: 'a ConfigMap over a mebibyte is invalid',
    calls: async (t) => {
      await t.note('over', t.api.create(t.map({ x: 'x'.repeat(1_048_577) })));
    },
  },
  {
    rule: 'a secret keeps its data and gets a type',
    calls: async (t) => {
      await t.note(
        'create',
        t.api.create(t.body('Secret', 's', { data: { key: 'AAAA' } }), { fieldManager: 'one' }),
      );
    },
  },
];

export const APPLYING: readonly Talk[] = [
  {
    rule: 'an apply creates what is absent, and again changes nothing, not even the version',
    calls: async (t) => {
      await t.note(
        'first',
        t.apply(t.map({ x: '1' }, { labels: { l: '1' }, annotations: { n: '1' } })),
      );
      await t.note(
        'again',
        t.apply(t.map({ x: '1' }, { labels: { l: '1' }, annotations: { n: '1' } })),
      );
    },
  },
  {
    rule: 'an apply changes its fields and removes those it no longer names',
    calls: async (t) => {
      await t.note('first', t.apply(t.map({ x: '1', y: '1' }, { labels: { l: '1' } })));
      await t.note('second', t.apply(t.map({ x: '2' })));
    },
  },
  {
    rule: 'an apply leaves the fields of others alone',
    calls: async (t) => {
      await t.apply(t.map({ x: '1' }, { labels: { l: '1' } }));
      await t.note(
        'other',
        t.apply(t.map({ y: '2' }, { labels: { m: '2' } }), { fieldManager: 'two' }),
      );
      await t.note('first gives up', t.apply(t.map(undefined)));
      await t.note('other gives up', t.apply(t.map(undefined), { fieldManager: 'two' }));
    },
  },
  {
    rule: 'a field of another manager is a conflict without force and changes hands with it',
    calls: async (t) => {
      await t.apply(t.map({ x: '1' }));
      await t.note('no force', t.apply(t.map({ x: '2' }), { fieldManager: 'two', force: false }));
      await t.note('force', t.apply(t.map({ x: '2' }), { fieldManager: 'two' }));
      await t.note('first without it', t.apply(t.map({})));
    },
  },
  {
    rule: 'an equal value is shared without force, and stays until the last owner gives it up',
    calls: async (t) => {
      await t.apply(t.map({ x: '1' }));
      await t.note('shared', t.apply(t.map({ x: '1' }), { fieldManager: 'two', force: false }));
      await t.note('one gives up', t.apply(t.map({})));
      await t.note('two gives up', t.apply(t.map({}), { fieldManager: 'two' }));
    },
  },
  {
    rule: 'what its creator made by create stays when its apply no longer names it',
    calls: async (t) => {
      await t.api.create(t.map({ x: '1', y: '1' }), { fieldManager: 'one' });
      await t.note('apply', t.apply(t.map({ x: '1' })));
      await t.note('without', t.apply(t.map({})));
    },
  },
  {
    rule: 'a stale version is a conflict even when nothing would change',
    calls: async (t) => {
      const first = await t.apply(t.map({ x: '1' }));
      await t.apply(t.map({ x: '2' }));
      const { resourceVersion = '' } = first.metadata;
      await t.note('stale, change', t.apply(t.map({ x: '3' }, { resourceVersion })));
      await t.note('stale, no change', t.apply(t.map({ x: '2' }, { resourceVersion })));
    },
  },
  {
    rule: 'the version at hand is no conflict',
    calls: async (t) => {
      const { metadata } = await t.apply(t.map({ x: '1' }));
      await t.note(
        'fresh',
        t.apply(t.map({ x: '2' }, { resourceVersion: metadata.resourceVersion ?? '' })),
      );
    },
  },
  {
    rule: 'a version of a deleted object creates it again',
    calls: async (t) => {
      const { metadata } = await t.apply(t.map({ x: '1' }));
      await t.api.delete(t.ref('ConfigMap', 'a'));
      await t.note(
        'apply',
        t.apply(t.map({ x: '2' }, { resourceVersion: metadata.resourceVersion ?? '' })),
      );
    },
  },
  {
    rule: 'a version that no object has creates what is absent and never takes what is there',
    calls: async (t) => {
      await t.note('absent', t.apply(t.map({ x: '1' }, { resourceVersion: '1' })));
      await t.note(
        'there',
        t.apply(t.map({ x: '2' }, { resourceVersion: '1' }), { fieldManager: 'two' }),
      );
    },
  },
  {
    rule: 'a uid is a precondition that brings nothing back to life',
    calls: async (t) => {
      const { metadata } = await t.apply(t.map({ x: '1' }));
      const { uid = '', resourceVersion = '' } = metadata;
      await t.note('right', t.apply(t.map({ x: '2' }, { uid })));
      await t.api.delete(t.ref('ConfigMap', 'a'));
      await t.note('gone', t.apply(t.map({ x: '3' }, { uid })));
      await t.note('gone, both', t.apply(t.map({ x: '3' }, { uid, resourceVersion })));
      await t.apply(t.map({ x: '4' }));
      await t.note('recreated', t.apply(t.map({ x: '5' }, { uid })));
      await t.note('recreated, both', t.apply(t.map({ x: '5' }, { uid, resourceVersion })));
    },
  },
  {
    rule: 'a field that the schema does not declare is refused as a server error without a reason',
    calls: async (t) => {
      await t.note('ConfigMap', t.apply(t.body('ConfigMap', 'a', { typo: 1 })));
      await t.note('service', t.apply(t.service({ typo: 1 })));
      await t.note(
        'status',
        t.apply(t.service()).then(() => t.apply(t.status({ typo: 1 }), { subresource: 'status' })),
      );
    },
  },
  {
    rule: 'a body with managed fields is refused',
    calls: async (t) => {
      await t.note(
        'apply',
        t.apply(t.map({}, { managedFields: [{ manager: 'x', operation: 'Apply' }] })),
      );
    },
  },
  {
    rule: 'owner references merge by uid and finalizers by value',
    calls: async (t) => {
      const owner = await t.api.create(t.body('ConfigMap', 'owner'));
      const other = await t.api.create(t.body('ConfigMap', 'other'));
      await t.apply(t.map({}, { ...ownerOf(owner), finalizers: ['example.com/a'] }));
      await t.note(
        'two',
        t.apply(t.map({}, { ...ownerOf(other), finalizers: ['example.com/b'] }), {
          fieldManager: 'two',
        }),
      );
      await t.note('one gives up', t.apply(t.map({})));
      await t.note('two gives up', t.apply(t.map({}), { fieldManager: 'two' }));
    },
  },
  {
    rule: 'a list of maps merges by its keys',
    calls: async (t) => {
      const exit = (name: string) => ({ name, tensor: `${name}_out` });
      await t.note('one', brief(t.apply(t.service({ exits: [exit('a'), exit('b')] }))));
      await t.note(
        'two',
        brief(t.apply(t.service({ exits: [exit('c')] }), { fieldManager: 'two' })),
      );
      await t.note('less', brief(t.apply(t.service({ exits: [exit('b')] }))));
    },
  },
];
