import type { Api, KubeObject, ObjectRef } from './api.ts';
import type { ApiStatusError } from './api-status-error.ts';
import type { KindName } from './kinds.ts';

/** Verbs as RBAC names them. */
export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'update' | 'delete';

export interface ApiCall {
  readonly verb: ApiVerb;
  readonly kind: KindName;
  readonly subresource: 'status' | null;
  /** Null: all namespaces, or a kind without. */
  readonly namespace: string | null;
  /** Null for collections. */
  readonly name: string | null;
  readonly isDryRun: boolean;
}

export interface Interception {
  /** Before the call: what it throws is thrown instead of calling. */
  readonly before?: (call: ApiCall) => void | Promise<void>;
  /** After the call, however it ended; null: it succeeded. A watch ends here too. */
  readonly after?: (call: ApiCall, error: ApiStatusError | null) => void;
}

const WRITES: ReadonlySet<ApiVerb> = new Set(['create', 'patch', 'update', 'delete']);

export function isWrite({ verb }: ApiCall): boolean {
  return WRITES.has(verb);
}

/** The same API with an eye on every call: to count, to compare with the rights shipped, to stop a former leader's writes. */
export function interceptApi(api: Api, { before, after }: Interception): Api {
  const wrap = async <T>(call: ApiCall, run: () => Promise<T>): Promise<T> => {
    await before?.(call);
    try {
      const result = await run();
      after?.(call, null);
      return result;
    } catch (error) {
      after?.(call, error as ApiStatusError);
      throw error;
    }
  };
  return {
    get: (ref, options) => wrap(refCall('get', ref), () => api.get(ref, options)),
    list: (kind, options) =>
      wrap(collectionCall('list', kind, options?.namespace), () => api.list(kind, options)),
    watch: (kind, options, onEvent) =>
      wrap(collectionCall('watch', kind, options.namespace), () =>
        api.watch(kind, options, onEvent),
      ),
    create: (object, options) =>
      wrap(objectCall('create', object, options), () => api.create(object, options)),
    apply: (object, options) =>
      wrap(objectCall('patch', object, options), () => api.apply(object, options)),
    replace: (object, options) =>
      wrap(objectCall('update', object, options), () => api.replace(object, options)),
    mergePatch: (ref, patch, options) =>
      wrap(
        {
          ...refCall('patch', ref),
          subresource: options?.subresource ?? null,
          isDryRun: options?.dryRun === true,
        },
        () => api.mergePatch(ref, patch, options),
      ),
    delete: (ref, options) => wrap(refCall('delete', ref), () => api.delete(ref, options)),
  };
}

/** Thrown instead of a write that a process without the Lease wanted to make. */
export class NotLeadingError extends Error {
  override readonly name = 'NotLeadingError';
}

/** Refuses writes from the moment leadership ends: the check is by this process's own clock, just before each. */
export function guardWrites(api: Api, isLeading: () => boolean): Api {
  return interceptApi(api, {
    before: (call) => {
      if (isWrite(call) && !isLeading()) {
        throw new NotLeadingError(`${call.verb} ${call.kind}: this process no longer leads.`);
      }
    },
  });
}

export function collectionCall(
  verb: ApiVerb,
  kind: KindName,
  namespace: string | undefined,
): ApiCall {
  return {
    verb,
    kind,
    subresource: null,
    namespace: namespace ?? null,
    name: null,
    isDryRun: false,
  };
}

export function refCall(verb: ApiVerb, ref: ObjectRef): ApiCall {
  return { ...collectionCall(verb, ref.kind, ref.namespace), name: ref.name };
}

export function objectCall(
  verb: ApiVerb,
  { kind, metadata }: KubeObject,
  options: { readonly subresource?: 'status'; readonly dryRun?: boolean } = {},
): ApiCall {
  return {
    verb,
    // The table's keys are the kinds' own names.
    kind: kind as KindName,
    subresource: options.subresource ?? null,
    namespace: metadata.namespace ?? null,
    name: metadata.name,
    isDryRun: options.dryRun === true,
  };
}
