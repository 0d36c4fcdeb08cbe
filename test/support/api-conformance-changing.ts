import { microTime } from '../../operator/kube/micro-time.ts';
import { brief, type Talk } from './api-conformance-talker.ts';

export const STATUS: readonly Talk[] = [
  {
    rule: 'a created service has defaults, generation 1 and no status but its default',
    calls: async (t) => {
      await t.note(
        'create',
        brief(t.api.create({ ...t.service(), status: { replicas: 9 } }, { fieldManager: 'one' })),
      );
    },
  },
  {
    rule: 'the first write after a creation stores the default status, the second changes nothing',
    calls: async (t) => {
      await t.note('create', brief(t.apply(t.service())));
      await t.note('first', brief(t.apply(t.service())));
      await t.note('second', brief(t.apply(t.service())));
    },
  },
  {
    rule: 'a change of spec makes a generation, a change of metadata or status does not',
    calls: async (t) => {
      await t.apply(t.service());
      await t.note('spec', brief(t.apply(t.service({ replicas: 3 }))));
      await t.note('labels', brief(t.apply(t.service({ replicas: 3 }, { labels: { l: '1' } }))));
      await t.note(
        'status',
        brief(t.apply(t.status({ observedGeneration: 2 }), { subresource: 'status' })),
      );
      await t.note(
        'same',
        brief(t.apply(t.status({ observedGeneration: 2 }), { subresource: 'status' })),
      );
    },
  },
  {
    rule: 'a status write leaves the spec, a main write leaves the status',
    calls: async (t) => {
      await t.apply(t.service());
      await t.apply(t.status({ observedGeneration: 1, replicas: 2 }), { subresource: 'status' });
      await t.note(
        'status with spec',
        brief(
          t.apply(
            { ...t.service({ replicas: 7 }), status: { observedGeneration: 1, replicas: 3 } },
            { subresource: 'status' },
          ),
        ),
      );
      await t.note(
        'main with status',
        brief(t.apply({ ...t.service({ replicas: 2 }), status: { replicas: 9 } })),
      );
      await t.note(
        'patch of status',
        brief(
          t.api.mergePatch(t.ref('CachedModelService', 'm'), {
            status: { replicas: 9 },
            spec: { replicas: 4 },
          }),
        ),
      );
    },
  },
  {
    rule: 'a uid is no precondition of a status write, a version is',
    calls: async (t) => {
      const { metadata } = await t.apply(t.service());
      const { uid = '', resourceVersion = '' } = metadata;
      const body = t.status({ replicas: 1 });
      const under = (more: object) => ({ ...body, metadata: { ...body.metadata, ...more } });
      await t.note('right', brief(t.apply(under({ uid }), { subresource: 'status' })));
      await t.note('wrong', brief(t.apply(under({ uid: 'x' }), { subresource: 'status' })));
      await t.note('stale', t.apply(under({ uid, resourceVersion }), { subresource: 'status' }));
      await t.api.delete(t.ref('CachedModelService', 'm'));
      await t.note('gone', t.apply(under({ uid }), { subresource: 'status' }));
      await t.note('both', t.apply(under({ uid, resourceVersion }), { subresource: 'status' }));
    },
  },
  {
    rule: 'conditions of two managers stand side by side',
    calls: async (t) => {
      const condition = (type: string, status: string) => ({
        conditions: [
          { type, status, reason: 'Test', message: '', lastTransitionTime: '2026-11-25T10:00:00Z' },
        ],
      });
      await t.apply(t.service());
      await t.apply(t.status(condition('Ready', 'True')), { subresource: 'status' });
      await t.note(
        'two',
        brief(
          t.apply(t.status(condition('Valid', 'True')), {
            subresource: 'status',
            fieldManager: 'two',
          }),
        ),
      );
      await t.note(
        'changed',
        brief(t.apply(t.status(condition('Ready', 'False')), { subresource: 'status' })),
      );
    },
  },
  {
    rule: 'a body that breaks the schema is invalid and stores nothing',
    calls: async (t) => {
      await t.note(
        'no budget',
        t.api.create(
          t.body('CachedModelService', 'm', { spec: { backbone: { uri: 'https://x.example/m' } } }),
        ),
      );
      await t.note('enum', t.apply(t.service({ exitMode: 'Sometimes' })));
      await t.note('type', t.apply(t.service({ replicas: 'many' })));
      await t.note('get', t.get('CachedModelService', 'm'));
    },
  },
  {
    rule: 'an unknown field of a created or patched service is dropped',
    calls: async (t) => {
      await t.note('create', brief(t.api.create(t.service({ typo: 1 }), { fieldManager: 'one' })));
      await t.note(
        'patch',
        brief(t.api.mergePatch(t.ref('CachedModelService', 'm'), { spec: { typo: 2 } })),
      );
    },
  },
];

export const CHANGING: readonly Talk[] = [
  {
    rule: 'a replacement is under its version, and removes what it leaves out',
    calls: async (t) => {
      const first = await t.api.create(t.map({ x: '1', y: '1' }), { fieldManager: 'one' });
      const next = { ...first, data: { x: '2' } };
      await t.note('fresh', t.api.replace(next, { fieldManager: 'two' }));
      await t.note('stale', t.api.replace({ ...first, data: { x: '3' } }));
    },
  },
  {
    rule: 'a replacement without a version is taken for built-in kinds, not for ours',
    calls: async (t) => {
      await t.api.create(t.map({ x: '1' }), { fieldManager: 'one' });
      await t.note('ConfigMap', t.api.replace(t.map({ x: '2' }), { fieldManager: 'one' }));
      await t.apply(t.service());
      await t.note('service', t.api.replace(t.service({ replicas: 2 })));
    },
  },
  {
    rule: 'a replacement or a patch without change keeps the version',
    calls: async (t) => {
      const first = await t.api.create(t.map({ x: '1' }), { fieldManager: 'one' });
      await t.note('replace', t.api.replace(first, { fieldManager: 'one' }));
      await t.note(
        'patch',
        t.api.mergePatch(t.ref('ConfigMap', 'a'), { data: { x: '1' } }, { fieldManager: 'one' }),
      );
    },
  },
  {
    rule: 'a merge patch sets, adds, and removes what is null',
    calls: async (t) => {
      await t.api.create(t.map({ x: '1', y: '1' }), { fieldManager: 'one' });
      await t.note(
        'patch',
        t.api.mergePatch(
          t.ref('ConfigMap', 'a'),
          { data: { x: null, z: '3' } },
          { fieldManager: 'two' },
        ),
      );
    },
  },
  {
    rule: 'a merge patch under a stale version is a conflict',
    calls: async (t) => {
      const first = await t.api.create(t.map({ x: '1' }));
      await t.api.mergePatch(t.ref('ConfigMap', 'a'), { data: { x: '2' } });
      const { resourceVersion } = first.metadata;
      await t.note(
        'stale',
        t.api.mergePatch(t.ref('ConfigMap', 'a'), {
          metadata: { resourceVersion },
          data: { x: '3' },
        }),
      );
    },
  },
  {
    rule: 'an edit takes the field from its applier, who takes it back',
    calls: async (t) => {
      await t.apply(t.map({ x: '1', y: '1' }));
      await t.note(
        'edit',
        t.api.mergePatch(
          t.ref('ConfigMap', 'a'),
          { data: { x: '9' } },
          { fieldManager: 'kubectl' },
        ),
      );
      await t.note('apply', t.apply(t.map({ x: '1', y: '1' })));
    },
  },
  {
    rule: 'an immutable ConfigMap keeps its data',
    calls: async (t) => {
      await t.apply({ ...t.map({ x: '1' }), immutable: true });
      await t.note('data', t.apply({ ...t.map({ x: '2' }), immutable: true }));
      await t.note(
        'labels',
        t.apply({ ...t.map({ x: '1' }, { labels: { l: '1' } }), immutable: true }),
      );
      await t.note('mutable again', t.api.mergePatch(t.ref('ConfigMap', 'a'), { immutable: null }));
    },
  },
  {
    rule: 'a Lease takes six digits and refuses three',
    calls: async (t) => {
      const lease = (renewTime: string) =>
        t.body('Lease', 'l', {
          spec: { holderIdentity: 'x', leaseDurationSeconds: 15, renewTime, leaseTransitions: 0 },
        });
      await t.note('three', t.api.create(lease('2026-11-25T10:00:00.123Z')));
      await t.note(
        'six',
        t.api.create(lease(microTime(1_800_000_000_123)), { fieldManager: 'one' }),
      );
    },
  },
  {
    rule: 'a Lease changes hands by replacement under its version, and has no holder once released',
    calls: async (t) => {
      const spec = (holderIdentity?: string) => ({
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        ...(holderIdentity === undefined ? {} : { holderIdentity }),
      });
      const lease = await t.api.create(t.body('Lease', 'l', { spec: spec('x') }), {
        fieldManager: 'one',
      });
      const second = await t.note(
        'second',
        t.api.replace({ ...lease, spec: spec('y') }, { fieldManager: 'two' }),
      );
      await t.note('late', t.api.replace({ ...lease, spec: spec('z') }, { fieldManager: 'two' }));
      await t.note(
        'released',
        t.api.replace({ ...second!, spec: spec() }, { fieldManager: 'two' }),
      );
      await t.note(
        'empty text',
        t.api.replace(t.body('Lease', 'l', { spec: spec('') }), { fieldManager: 'two' }),
      );
    },
  },
  {
    rule: 'a Lease that is gone is not brought back under its old version',
    calls: async (t) => {
      const spec = { holderIdentity: 'x', leaseDurationSeconds: 15, leaseTransitions: 0 };
      const lease = await t.api.create(t.body('Lease', 'l', { spec }), { fieldManager: 'one' });
      await t.api.delete(t.ref('Lease', 'l'));
      await t.note('replace', t.api.replace(lease, { fieldManager: 'one' }));
      await t.note(
        'patch',
        t.api.mergePatch(t.ref('Lease', 'l'), { spec: { leaseTransitions: 1 } }),
      );
      await t.note('get', t.get('Lease', 'l'));
    },
  },
  {
    rule: 'an event becomes a series by a patch, and nothing else of it changes',
    calls: async (t) => {
      const time = microTime(1_800_000_000_000);
      const event = t.body('Event', 'e', {
        eventTime: time,
        reportingController: 'layercache.io/operator',
        reportingInstance: 'test',
        type: 'Normal',
        reason: 'Tested',
        action: 'Testing',
        note: 'once',
        regarding: { apiVersion: 'v1', kind: 'ConfigMap', namespace: t.namespace, name: 'a' },
      });
      await t.note('create', t.api.create(event, { fieldManager: 'one' }));
      const ref = t.ref('Event', 'e');
      await t.note(
        'series',
        t.api.mergePatch(
          ref,
          { series: { count: 2, lastObservedTime: time } },
          { fieldManager: 'one' },
        ),
      );
      await t.note('other note', t.api.mergePatch(ref, { note: 'twice' }, { fieldManager: 'one' }));
    },
  },
];
