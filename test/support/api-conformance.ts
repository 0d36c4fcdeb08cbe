// What the API server does, as talks with it. Each runs against the real one and against the simulation; answers must
// be the same, status and object. The golden file holds what the real one said.
import { canonicalJson } from '../../operator/kube/same-fields.ts';
import type {
  Api,
  ApplyOptions,
  KubeObject,
  ObjectMeta,
  ObjectRef,
  WatchEvent,
} from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import { microTime } from '../../operator/kube/micro-time.ts';
import type { KindName } from '../../operator/kube/kinds.ts';
import { createMask } from './api-conformance-mask.ts';
import { eventually } from './eventually.ts';

/** One talk in a namespace of its own. */
export interface Talk {
  readonly rule: string;
  readonly calls: (t: Talker) => Promise<void>;
}

/** Answers as compared: labels of the talk's calls to what came of them. */
export type Answers = Readonly<Record<string, unknown>>;

export async function holdTalk(talk: Talk, api: Api, namespace: string): Promise<Answers> {
  const talker = new Talker(api, namespace);
  await talk.calls(talker);
  return talker.answers();
}

class Talker {
  readonly api: Api;
  readonly namespace: string;
  readonly #answers: Record<string, unknown> = {};
  readonly #mask;

  constructor(api: Api, namespace: string) {
    this.api = api;
    this.namespace = namespace;
    this.#mask = createMask(namespace);
  }

  answers(): Answers {
    return this.#answers;
  }

  /** Notes what came of a call; gives the object, or null after an error. */
  async note(label: string, call: Promise<unknown>): Promise<KubeObject | null> {
    try {
      const value = await call;
      this.#answers[label] = this.#mask(value);
      return value as KubeObject;
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      const causes = error.causes.map(({ reason }) => reason);
      this.#answers[label] =
        `${error.status} ${error.reason}${causes.length === 0 ? '' : ` (${causes.join(', ')})`}`;
      return null;
    }
  }

  ref(kind: KindName, name: string): ObjectRef {
    return { kind, namespace: this.namespace, name };
  }

  /** A body of that kind, in the talk's namespace. */
  body(
    kind: KindName,
    name: string,
    fields: Readonly<Record<string, unknown>> = {},
    metadata: Partial<ObjectMeta> = {},
  ): KubeObject {
    const apiVersion = API_VERSIONS[kind] ?? 'v1';
    return {
      apiVersion,
      kind,
      metadata: { name, namespace: this.namespace, ...metadata },
      ...fields,
    };
  }

  map(data?: Readonly<Record<string, string>>, metadata: Partial<ObjectMeta> = {}): KubeObject {
    return this.body('ConfigMap', 'a', data === undefined ? {} : { data }, metadata);
  }

  service(
    spec: Readonly<Record<string, unknown>> = {},
    metadata: Partial<ObjectMeta> = {},
  ): KubeObject {
    return this.body(
      'CachedModelService',
      'm',
      {
        spec: {
          backbone: { uri: 'https://models.example.com/m.onnx' },
          accuracy: { maxDisagreement: '1%' },
          ...spec,
        },
      },
      metadata,
    );
  }

  status(status: Readonly<Record<string, unknown>>): KubeObject {
    return this.body('CachedModelService', 'm', { status });
  }

  apply(object: KubeObject, options: Partial<ApplyOptions> = {}): Promise<KubeObject> {
    return this.api.apply(object, { fieldManager: 'one', ...options });
  }

  get(kind: KindName, name: string): Promise<KubeObject> {
    return this.api.get(this.ref(kind, name));
  }

  /** The garbage collector looks for new kinds every 30 s only. */
  async isGone(kind: KindName, name: string): Promise<void> {
    await eventually(async () => {
      const found = await this.get(kind, name).catch((error: unknown) => error);
      if (!(found instanceof ApiStatusError && found.isNotFound))
        throw new Error(`${name} is there`);
    }, 60_000);
  }
}

const API_VERSIONS: Partial<Record<KindName, string>> = {
  CachedModelService: 'layercache.io/v1alpha1',
  CacheHeadRevision: 'layercache.io/v1alpha1',
  Lease: 'coordination.k8s.io/v1',
  Event: 'events.k8s.io/v1',
};

const ownerOf = ({ apiVersion, kind, metadata }: KubeObject): Partial<ObjectMeta> => ({
  ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }],
});

/** The part of a service that does not change with every new default. */
const brief = async (call: Promise<KubeObject>): Promise<unknown> => {
  const { metadata, spec, status } = await call;
  const { accuracy, exits, replicas, exitMode, typo } = spec as Record<string, unknown>;
  return { metadata, spec: { accuracy, exits, replicas, exitMode, typo }, status };
};

const CREATING: readonly Talk[] = [
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

const APPLYING: readonly Talk[] = [
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

const STATUS: readonly Talk[] = [
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

const CHANGING: readonly Talk[] = [
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

const DELETING: readonly Talk[] = [
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

const READING: readonly Talk[] = [
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

export const TALKS: readonly Talk[] = [
  ...CREATING,
  ...APPLYING,
  ...STATUS,
  ...CHANGING,
  ...DELETING,
  ...READING,
];

/** How answers stand in the golden file. */
export function answersAsText(all: ReadonlyMap<string, Answers>): string {
  const sorted: unknown = JSON.parse(canonicalJson(Object.fromEntries(all)));
  return `${JSON.stringify(sorted, null, 1)}\n`;
}
