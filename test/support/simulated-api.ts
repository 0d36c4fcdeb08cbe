// A cluster's API in memory, in the time of its clock: what `conformance` holds to the real one, plus faults.
import type {
  Api,
  CallOptions,
  KubeObject,
  ListOptions,
  ObjectRef,
  WatchEvent,
  WatchOptions,
} from '../../operator/kube/api.ts';
import { ApiStatusError } from '../../operator/kube/api-status-error.ts';
import { sleep, type KubeClock } from '../../operator/kube/clock.ts';
import {
  collectionCall,
  isWrite,
  objectCall,
  refCall,
  type ApiCall,
} from '../../operator/kube/intercept-api.ts';
import type { KindName } from '../../operator/kube/kinds.ts';
import type { Fault, Faults } from './simulated-api-faults.ts';
import { isSelected } from './simulated-api-select.ts';
import { refuse, SimulatedStore, type Change, type Validate } from './simulated-api-store.ts';

export interface SimulatedClusterOptions {
  readonly clock: KubeClock;
  /** Stands for rules in CEL, quotas, admission. */
  readonly validate?: Validate;
}

/** A call of one client, as made. */
export interface SimulatedCall extends ApiCall {
  readonly client: string;
  /** Nothing came of it: a conflict, a rule, an object that is not there. */
  readonly isRefused: boolean;
}

/** One process' way to the cluster. After `crash` none of its promises settles any more, as if it were gone. */
export interface SimulatedClient extends Api {
  readonly isDead: boolean;
  crash(): void;
}

export interface SimulatedCluster {
  client(name: string, faults?: Faults): SimulatedClient;
  /** Every call that reached the server, dry runs included, in order. */
  readonly calls: readonly SimulatedCall[];
  /** The same, writes alone, without dry runs. */
  readonly writes: readonly SimulatedCall[];
  /** The state of the world, for assertions. */
  objects(kind?: KindName): readonly KubeObject[];
  addNamespace(name: string): void;
  /** Refuses everything new there and deletes what is in it. */
  terminateNamespace(name: string): void;
  /** As if its definition were deleted, and its objects with it. */
  removeKind(kind: KindName): void;
  restoreKind(kind: KindName): void;
  /** Versions up to now expire for watches. */
  compact(): void;
  /** Remembers the state; the function brings it back, in time too, with a server that starts again: open watches end. */
  snapshot(): () => void;
}

export function createSimulatedCluster({
  clock,
  validate,
}: SimulatedClusterOptions): SimulatedCluster {
  const store = new SimulatedStore({ clock, validate });
  const calls: SimulatedCall[] = [];
  return {
    client: (name, faults = {}) =>
      createClientOf({
        store,
        clock,
        faults,
        onReached: (call, isRefused) => calls.push({ ...call, client: name, isRefused }),
      }),
    calls,
    get writes() {
      return calls.filter((call) => isWrite(call) && !call.isDryRun);
    },
    objects: (kind) => store.all(kind),
    addNamespace: (name) => {
      store.setNamespace(name, 'Active');
    },
    terminateNamespace: (name) => {
      store.setNamespace(name, 'Terminating');
    },
    removeKind: (kind) => {
      store.setKind(kind, false);
    },
    restoreKind: (kind) => {
      store.setKind(kind, true);
    },
    compact: () => {
      store.oldest = store.version;
    },
    snapshot: () => store.snapshot(),
  };
}

const DEADLINE_MS = 30_000;
const BOOKMARK_MS = 60_000;
const NO_SIGNAL = new AbortController().signal;

interface ClientParts {
  readonly store: SimulatedStore;
  readonly clock: KubeClock;
  readonly faults: Faults;
  readonly onReached: (call: ApiCall, isRefused: boolean) => void;
}

function createClientOf(parts: ClientParts): SimulatedClient {
  const { store } = parts;
  const life = { isDead: false };
  const run = <T>(
    made: ApiCall,
    options: CallOptions | undefined,
    act: (fault: Fault | null) => T,
  ): Promise<T> => runCall(parts, life, made, { options: options ?? {}, act });
  return {
    get isDead() {
      return life.isDead;
    },
    crash: () => {
      life.isDead = true;
    },
    get: (ref, options) =>
      run(refCall('get', ref), options, (fault) => {
        if (fault?.kind !== 'Stale') return store.get(ref);
        const found = store
          .listAt(ref.kind, store.version - fault.versions)
          .find((item) => isNamed(item, ref));
        if (found === undefined) throw refuse(404, 'NotFound', `get ${ref.name}`);
        return found;
      }),
    list: (kind, options = {}) =>
      run(collectionCall('list', kind, options.namespace), options, (fault) => {
        const version = store.version - (fault?.kind === 'Stale' ? fault.versions : 0);
        const items = fault?.kind === 'Stale' ? store.listAt(kind, version) : store.list(kind);
        const { keep = (item: KubeObject) => item } = options;
        return {
          items: items
            .filter((item) => isSelected(item, options))
            .map((item) => keep(partOf(item, options)))
            .filter((kept) => kept !== null),
          resourceVersion: String(version),
        };
      }),
    watch: async (kind, options, onEvent) => {
      // Opens like any call, then lives on its own.
      const made = collectionCall('watch', kind, options.namespace);
      const { fault } = await run(made, options, (taken) => ({ fault: taken }));
      await openWatch({
        ...parts,
        life,
        kind,
        options,
        onEvent,
        isSilent: fault?.kind === 'Silence',
      });
    },
    create: (object, options) =>
      run(objectCall('create', object, options), options, () =>
        store.create(sent(object), options),
      ),
    apply: (object, options) =>
      run(objectCall('patch', object, options), options, () => store.apply(sent(object), options)),
    replace: (object, options) =>
      run(objectCall('update', object, options), options, () =>
        store.replace(sent(object), options),
      ),
    mergePatch: (ref, patch, options) =>
      run(
        {
          ...refCall('patch', ref),
          subresource: options?.subresource ?? null,
          isDryRun: options?.dryRun === true,
        },
        options,
        () => store.mergePatch(ref, sent(patch), options),
      ),
    delete: (ref, options) =>
      run(refCall('delete', ref), options, () => store.delete(ref, options)),
  };
}

/** As it goes over the wire: nothing undefined, nothing shared with the caller. */
function sent<T>(body: T): T {
  return JSON.parse(JSON.stringify(body)) as T;
}

/** One of its own each time: what waits for a promise is held by it, and one of all worlds would hold all of them. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** One call under its fault. A dead client's promises stay open. */
async function runCall<T>(
  parts: ClientParts,
  life: { isDead: boolean },
  made: ApiCall,
  { options, act }: { readonly options: CallOptions; readonly act: (fault: Fault | null) => T },
): Promise<T> {
  if (life.isDead) return never();
  const fault = parts.faults.onCall?.(made) ?? null;
  const dies = fault?.kind === 'Crash' ? fault.when : null;
  if (dies === 'Before') life.isDead = true;
  await reach(parts.clock, fault, made, options);
  if (isOver(life)) return never();
  const result = attempt(() => act(fault));
  parts.onReached(made, !result.ok);
  if (dies === 'After') life.isDead = true;
  if (isOver(life)) return never();
  return answerOf(result, fault);
}

/** A watch is silent in its own way: open, and nothing comes. */
function isSilentCall(fault: Fault | null, verb: ApiCall['verb']): boolean {
  return fault?.kind === 'Silence' && verb !== 'watch';
}

function delayOf(fault: Fault | null): number {
  return fault?.kind === 'Delay' ? fault.ms : 0;
}

function answerOf<T>(result: Attempt<T>, fault: Fault | null): T {
  if (fault?.kind === 'LostAnswer') throw lostAnswer(fault.status);
  if (!result.ok) throw result.error;
  return result.value;
}

/** The way to the server; throws when the call does not get there. */
async function reach(
  clock: KubeClock,
  fault: Fault | null,
  { verb }: ApiCall,
  options: CallOptions,
): Promise<void> {
  const signal = options.signal ?? NO_SIGNAL;
  const isSilent = isSilentCall(fault, verb);
  const waitMs = isSilent ? (options.deadlineMs ?? DEADLINE_MS) : delayOf(fault);
  if (waitMs > 0) await sleep(clock, waitMs, signal);
  else await Promise.resolve();
  if (signal.aborted) throw noAnswer('Aborted');
  if (isSilent) throw noAnswer('DeadlineExceeded');
  if (fault?.kind === 'Status') throw statusOf(fault);
}

/** Read again after every wait: a crash may have come in between. */
function isOver(life: { readonly isDead: boolean }): boolean {
  return life.isDead;
}

type Attempt<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

function attempt<T>(act: () => T): Attempt<T> {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    return { ok: false, error: error as Error };
  }
}

function noAnswer(reason: 'NoAnswer' | 'DeadlineExceeded' | 'Aborted'): ApiStatusError {
  return new ApiStatusError({ status: 0, reason, detail: 'simulated', call: 'simulated call' });
}

function lostAnswer(status: number): ApiStatusError {
  if (status === 0) return noAnswer('NoAnswer');
  return refuse(status, status === 504 ? 'Timeout' : 'InternalError', 'simulated call');
}

function statusOf({
  status,
  reason,
  retryAfterSeconds,
}: Extract<Fault, { kind: 'Status' }>): ApiStatusError {
  return new ApiStatusError({
    status,
    reason,
    detail: 'simulated',
    call: 'simulated call',
    retryAfterSeconds: retryAfterSeconds ?? null,
  });
}

function isNamed({ metadata }: KubeObject, { name, namespace }: ObjectRef): boolean {
  return metadata.name === name && metadata.namespace === namespace;
}

function partOf(
  object: KubeObject,
  { metadataOnly }: Pick<ListOptions, 'metadataOnly'>,
): KubeObject {
  if (metadataOnly !== true) return object;
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, metadata };
}

interface WatchParts extends ClientParts {
  readonly life: { readonly isDead: boolean };
  readonly kind: KindName;
  readonly options: WatchOptions;
  readonly onEvent: (event: WatchEvent) => void;
  readonly isSilent: boolean;
}

/** What happened since the version, then what happens, each event in its time and in order. */
function openWatch({
  store,
  clock,
  faults,
  life,
  kind,
  options,
  onEvent,
  isSilent,
}: WatchParts): Promise<void> {
  if (!store.isPresent(kind)) throw refuse(404, 'NotFound', `watch ${kind}`);
  const from = Number(options.resourceVersion);
  if (from < store.oldest) throw refuse(410, 'Expired', `watch ${kind}`);
  return new Promise((resolve, reject) => {
    let freeAtMs = 0;
    const ends: (() => void)[] = [];
    const close = (end: () => void): void => {
      for (const undo of ends.splice(0)) undo();
      if (!life.isDead) end();
    };
    const fail = (error: Error): void => {
      close(() => {
        reject(error);
      });
    };
    const failBy = (fault: 'Reset' | 'Expire'): void => {
      fail(fault === 'Reset' ? noAnswer('NoAnswer') : refuse(410, 'Expired', `watch ${kind}`));
    };
    const deliver = (event: WatchEvent): void => {
      if (ends.length === 0 || life.isDead || isSilent) return;
      const fault = faults.onEvent?.() ?? null;
      if (fault === 'Reset' || fault === 'Expire') failBy(fault);
      else if (fault !== 'Drop') hand(event, fault === 'Duplicate' ? 2 : 1);
    };
    const hand = (event: WatchEvent, times: number): void => {
      try {
        for (let i = 0; i < times; i++) onEvent(event);
      } catch (error) {
        fail(error as Error);
      }
    };
    const later = (event: WatchEvent): void => {
      freeAtMs = Math.max(freeAtMs, clock.monotonicMs() + (faults.eventDelayMs?.() ?? 0));
      clock.schedule(freeAtMs - clock.monotonicMs(), () => {
        deliver(event);
      });
    };
    const onChange = (change: Change): void => {
      const event = eventOf(change, kind, options);
      if (event !== null) later(event);
    };
    const onAbort = (): void => {
      fail(noAnswer('Aborted'));
    };
    const bookmark = (): void => {
      // A version from a future that never was: the server waits for it and says nothing.
      if (store.version >= from)
        later({ type: 'BOOKMARK', resourceVersion: String(store.version) });
      ends[0] = clock.schedule(BOOKMARK_MS, bookmark);
    };
    ends.push(clock.schedule(BOOKMARK_MS, bookmark));
    ends.push(
      clock.schedule(options.timeoutSeconds * 1000, () => {
        close(resolve);
      }),
    );
    ends.push(store.onChange(onChange));
    ends.push(
      store.onAbsent(kind, () => {
        // After the last of its events.
        clock.schedule(1, () => {
          close(resolve);
        });
      }),
    );
    options.signal.addEventListener('abort', onAbort, { once: true });
    ends.push(() => {
      options.signal.removeEventListener('abort', onAbort);
    });
    for (const change of store.log) if (change.version > from) onChange(change);
  });
}

/** What a watch with that selection tells of a change; null: nothing. */
function eventOf(
  { object, previous, isDeletion, kind: changed }: Change,
  kind: KindName,
  options: WatchOptions,
): WatchEvent | null {
  if (changed !== kind) return null;
  const was = previous !== null && isSelected(previous, options);
  const is = !isDeletion && isSelected(object, options);
  if (!was && !is) return null;
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object: partOf(object, options) };
  if (isDeletion) return { type: 'DELETED', object: partOf(object, options) };
  // What it last was for this watch, under the version at which it left.
  const { resourceVersion } = object.metadata;
  const last = {
    ...previous!,
    metadata: { ...previous!.metadata, ...(resourceVersion && { resourceVersion }) },
  };
  return { type: 'DELETED', object: partOf(last, options) };
}
