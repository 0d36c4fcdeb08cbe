import type { Api, ApplyOptions, KubeObject, ObjectRef } from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import type { KindName } from '../../operator/kube/kinds.ts';
import type { ObjectMeta } from '../../operator/plan/live-object.ts';
import { createMask } from './api-conformance-mask.ts';
import { eventually } from './eventually.ts';

/** One talk in a namespace of its own. */
export interface Talk {
  readonly rule: string;
  readonly calls: (t: Talker) => Promise<void>;
}

/** Answers as compared: labels of the talk's calls to what came of them. */
export type Answers = Readonly<Record<string, unknown>>;

export class Talker {
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

export const ownerOf = ({ apiVersion, kind, metadata }: KubeObject): Partial<ObjectMeta> => ({
  ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' }],
});

/** The part of a service that does not change with every new default. */
export const brief = async (call: Promise<KubeObject>): Promise<unknown> => {
  const { metadata, spec, status } = await call;
  const { accuracy, exits, replicas, exitMode, typo } = spec as Record<string, unknown>;
  return { metadata, spec: { accuracy, exits, replicas, exitMode, typo }, status };
};
