import {
  refOf,
  type Api,
  type CallOptions,
  type KubeObject,
  type ListOptions,
  type ObjectList,
  type WatchEvent,
  type WatchOptions,
} from './api.ts';
import type { ApiStatusError } from './api-status-error.ts';
import type { KubeClock } from './clock.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { callWhole, noAnswer, withAnswer, type HttpAnswer, type HttpCall } from './http-call.ts';
import { KINDS, pathOf, type KindName } from './kinds.ts';
import { statusErrorOf } from './read-status.ts';
import {
  acceptOf,
  applyQuery,
  collectionOf,
  deleteBody,
  selectionQuery,
  targetOf,
  writeQuery,
} from './request-target.ts';
import type { TokenBucket } from './token-bucket.ts';
import { decodeEvent, named, readEvents } from './watch-events.ts';

export interface ClientOptions {
  readonly access: ClusterAccess;
  readonly clock: KubeClock;
  /** Shared by everything but the elector, whose renewals must not wait behind a relist; null: no limit. */
  readonly budget: TokenBucket | null;
  /** @defaultValue 30,000 */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;
const PAGE_SIZE = 500;

/** The API server over HTTPS. Each call, and each page of a list, takes one token of the budget and has a deadline. */
export function createClient(options: ClientOptions): Api {
  const send = (call: HttpCall): Promise<KubeObject> => sendCall(options, call);
  const ends = (
    { signal, deadlineMs }: CallOptions = {},
    method: HttpCall['method'] = 'GET',
  ): Pick<HttpCall, 'signal' | 'deadlineMs' | 'method'> => ({
    method,
    signal,
    deadlineMs: deadlineMs ?? options.deadlineMs ?? DEADLINE_MS,
  });
  return {
    get: (ref, call) => send({ ...ends(call), ...targetOf('get', ref) }),
    list: (kind, list = {}) => listAll(options, kind, { ...list, ...deadlineOf(options, list) }),
    watch: (kind, watch, onEvent) => watchOnce(options, { kind, watch }, onEvent),
    create: (object, write) =>
      send({
        ...ends(write, 'POST'),
        ...collectionOf('create', object, writeQuery(write)),
        body: object,
      }),
    apply: (object, apply) =>
      send({
        ...ends(apply, 'PATCH'),
        ...targetOf('apply', refOf(object), apply.subresource, applyQuery(apply)),
        contentType: 'application/apply-patch+yaml',
        body: object,
      }),
    replace: (object, write) =>
      send({
        ...ends(write, 'PUT'),
        ...targetOf('replace', refOf(object), undefined, writeQuery(write)),
        body: object,
      }),
    mergePatch: (ref, patch, write) =>
      send({
        ...ends(write, 'PATCH'),
        ...targetOf('patch', ref, write?.subresource, writeQuery(write)),
        contentType: 'application/merge-patch+json',
        body: patch,
      }),
    delete: async (ref, remove) => {
      try {
        await send({
          ...ends(remove, 'DELETE'),
          ...targetOf('delete', ref),
          body: deleteBody(remove),
        });
        return 'Deleted';
      } catch (error) {
        if ((error as ApiStatusError).isNotFound) return 'Gone';
        throw error;
      }
    },
  };
}

function deadlineOf(options: ClientOptions, call: CallOptions): { readonly deadlineMs: number } {
  return { deadlineMs: call.deadlineMs ?? options.deadlineMs ?? DEADLINE_MS };
}

async function sendCall(options: ClientOptions, call: HttpCall): Promise<KubeObject> {
  await options.budget?.take(call.signal);
  return parseAnswer(await callWhole(options.access, options.clock, call), call) as KubeObject;
}

function parseAnswer(answer: HttpAnswer, call: HttpCall): unknown {
  if (answer.status < 200 || answer.status > 299) throw statusErrorOf(call.name, answer);
  try {
    return JSON.parse(answer.text);
  } catch (error) {
    throw noAnswer(call, 'NoAnswer', `${answer.status} without JSON`, error);
  }
}

interface ListPage {
  /** Null when metadata alone was asked for and there is none (1.36). */
  readonly items: KubeObject[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

async function listAll(
  options: ClientOptions,
  kind: KindName,
  list: ListOptions & { readonly deadlineMs: number },
): Promise<ObjectList> {
  const items: KubeObject[] = [];
  let next: string | undefined;
  for (;;) {
    const query = selectionQuery(list);
    query.set('limit', String(list.pageSize ?? PAGE_SIZE));
    if (next !== undefined) query.set('continue', next);
    const call: HttpCall = {
      method: 'GET',
      name: `list ${KINDS[kind].plural}`,
      target: `${pathOf(KINDS[kind], { namespace: list.namespace })}?${query.toString()}`,
      accept: acceptOf(list, 'List'),
      signal: list.signal,
      deadlineMs: list.deadlineMs,
    };
    await options.budget?.take(call.signal);
    const page = parseAnswer(
      await callWhole(options.access, options.clock, call),
      call,
    ) as ListPage;
    items.push(...keptOf(page, kind, list));
    next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
  }
}

function keptOf(
  { items }: ListPage,
  kind: KindName,
  { keep = (object: KubeObject) => object }: ListOptions,
): readonly KubeObject[] {
  return (items ?? []).map((item) => keep(named(kind, item))).filter((kept) => kept !== null);
}

interface WatchCall {
  readonly kind: KindName;
  readonly watch: WatchOptions;
}

async function watchOnce(
  options: ClientOptions,
  { kind, watch }: WatchCall,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const query = selectionQuery(watch);
  query.set('watch', 'true');
  query.set('allowWatchBookmarks', 'true');
  query.set('resourceVersion', watch.resourceVersion);
  query.set('timeoutSeconds', String(watch.timeoutSeconds));
  const call: HttpCall = {
    method: 'GET',
    name: `watch ${KINDS[kind].plural}`,
    target: `${pathOf(KINDS[kind], { namespace: watch.namespace })}?${query.toString()}`,
    accept: acceptOf(watch, ''),
    signal: watch.signal,
    deadlineMs: null,
  };
  await options.budget?.take(watch.signal);
  await withAnswer(options.access, options.clock, call, (incoming) =>
    readEvents(incoming, call, (line) => {
      onEvent(decodeEvent(kind, line, call));
    }),
  );
}
