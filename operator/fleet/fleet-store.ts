import type { Result } from '../../crds/wire/result.ts';
import { sleep, type KubeClock } from '../kube/clock.ts';
import type { AdminAnswer, AdminCall, AdminClient } from './admin-client.ts';
import { findChange, troubleOf, type FleetChange } from './fleet-change.ts';
import { heldRevisions, type FleetPod, type PodView } from './fleet-pod.ts';
import { limitConcurrency } from './limit-concurrency.ts';
import {
  countedPod,
  pollPod,
  unheardPod,
  withoutHeld,
  type CountedBoot,
  type OnPull,
  type PodMemory,
} from './poll-pod.ts';
import { shareWords, type Words } from './share-words.ts';
import { forPod, needsPush, pushToPod, type Publication } from './push-to-pod.ts';

/** The pods of one service. */
export interface FollowedService {
  /** Running pods with an address. */
  readonly pods: readonly FleetPod[];
  /** Between two polls of a pod: 30 s, 10 s in a rollout. */
  readonly pollMs: number;
  /** Figures that always move, such as recorded samples, are wanted: each poll reads the state too. */
  readonly needsFigures?: boolean;
  /**
   * By the uid of a pod: its windows up to here are in the stored ledger, so one that is new here is asked for later ones. Called only
   * where a pod is new.
   */
  readonly counted?: () => ReadonlyMap<string, CountedBoot>;
}

/**
 * What all pods have said, as a cache like a watch: polled in the background, read without waiting. `key` is `namespace/name` of
 * the service. Windows stay until `dropConsumed`. Of all services together a bounded number is held: beyond it pods are heard,
 * and their windows stay with their servers, which keep them for half an hour.
 */
export interface FleetStore {
  /** Replaces the pods of a service; what is known of those that stay is kept. */
  follow(key: string, service: FollowedService): void;
  /** Forgets a service: it is gone, or another leader has it. */
  unfollow(key: string): void;
  pods(key: string): readonly PodView[];
  /**
   * Brings a stored policy to every pod, heads first; resolves when each has answered or missed its 2 s. Pods that missed it, and
   * those that come later, get it after their next poll.
   */
  publish(key: string, publication: Publication): Promise<void>;
  /** What was published last since the service is followed; null: nothing. */
  publication(key: string): Publication | null;
  /** One call of a pod beside its polls and pushes. */
  call(key: string, podUid: string, call: AdminCall): Promise<Result<AdminAnswer>>;
  /** Windows up to the watermark of `podUid bootId` are in the ledger. */
  dropConsumed(key: string, watermarks: ReadonlyMap<string, number>): void;
  /** Starts every poll that is due; resolves when these have ended. */
  pollDue(): Promise<void>;
  /** Polls until the signal; then closes every connection. */
  run(): Promise<void>;
}

export interface FleetStoreOptions {
  readonly clock: KubeClock;
  readonly signal: AbortSignal;
  /** Of the service `key`, by the keys of its generation. */
  readonly connect: (key: string, pod: FleetPod) => AdminClient;
  /** Something that decisions read has changed. */
  readonly onChange: (key: string, change: FleetChange) => void;
  /** [0, 1): spreads rounds. */
  readonly random: () => number;
  readonly onPull: OnPull;
  /** Windows of all services that are held uncounted. @defaultValue 40,000 */
  readonly mostHeldWindows?: number;
  /** Of all services, a second. @defaultValue 400 */
  readonly mostPollsPerSecond?: number;
}

interface Entry {
  memory: PodMemory;
  /** As it was told last. */
  trouble: string | null;
  readonly client: AdminClient;
  /** There when this process first followed its service, as thousands are after a start. */
  readonly isOfStart: boolean;
  /** Of a poll of its own, sooner than the next round; Infinity: none. */
  dueMs: number;
  /** Polls and pushes of one pod go one after the other: an older answer never overwrites a newer one. */
  turn: Promise<void>;
  isPolling: boolean;
  /** Windows up to here are in the ledger, also if a poll that began before brings them again. */
  consumed: { readonly bootId: string; readonly seq: number };
  /** Since when it has windows and nobody counted any; Infinity: it has none. */
  heldSinceMs: number;
}

interface Service {
  pollMs: number;
  needsFigures: boolean;
  /** Next time that all its pods are polled: together, so that one pass takes what all of them say. */
  roundMs: number;
  publication: Publication | null;
  /** What one of its pods said last: the others say the same in most places, and share it. */
  heard: Words | null;
  readonly entries: Map<string, Entry>;
}

const POLLS_AT_ONCE = 16;
const PUSHES_AT_ONCE = 16;
/**
 * A pod that takes longer loses its place: a node that went away with its pods would hold all others for minutes. At most 64 calls
 * are on their way at once, as each ends after 2 s: an operator with a tenth of a core still hears their answers in time.
 */
const PATIENCE_MS = 500;
/** A pod that starts, or lacks its policy, or missed a push, is asked sooner. */
const SOON_MS = { starting: 5_000, missed: 1_000 } as const;
const TICK_MS = 500;
/**
 * One takes 1.5 ms of a core where it needs a connection, and JavaScript has one: a thousand services that are all tested at once would
 * ask for a thousand a second, and none would come to an end. Rounds that are shorter than the longest wait longer then.
 */
const MOST_POLLS_PER_SECOND = 400;
const LONGEST_ROUND_MS = 30_000;
/** Of all services: 40 MiB, a round of 10,000 pods whose windows close every ten seconds. */
const MOST_HELD_WINDOWS = 40_000;
/** Whoever counts nothing for so long must not take the place of the others: a pass that fails again and again, a service that nobody decides. */
const HELD_MS = 300_000;

export function createFleetStore(options: FleetStoreOptions): FleetStore {
  const { clock, signal } = options;
  const { mostHeldWindows = MOST_HELD_WINDOWS, mostPollsPerSecond = MOST_POLLS_PER_SECOND } =
    options;
  const services = new Map<string, Service>();
  const patience = { clock, ms: PATIENCE_MS };
  const pollLimit = limitConcurrency(POLLS_AT_ONCE, patience);
  /** Those that did not answer last time wait for each other alone. */
  const silentLimit = limitConcurrency(POLLS_AT_ONCE, patience);
  const pushLimit = limitConcurrency(PUSHES_AT_ONCE, patience);
  const monotonicMs = (): number => clock.monotonicMs();

  function serviceOf(key: string): Service {
    const known = services.get(key);
    if (known !== undefined) return known;
    const service: Service = {
      ...{ pollMs: 0, needsFigures: false, publication: null, heard: null },
      roundMs: monotonicMs(),
      entries: new Map(),
    };
    services.set(key, service);
    return service;
  }

  /** How many times the polls that are wanted are more than there may be. */
  let crowding = 1;

  function measureCrowding(): void {
    let wantedPerSecond = 0;
    for (const { pollMs, entries } of services.values())
      wantedPerSecond += entries.size / (pollMs / 1_000);
    crowding = Math.max(1, wantedPerSecond / mostPollsPerSecond);
  }

  function roundOf({ pollMs }: Service): number {
    return Math.max(pollMs, Math.min(LONGEST_ROUND_MS, pollMs * crowding));
  }

  /** Windows of all pods. */
  let heldWindows = 0;
  const hasRoom = (): boolean => heldWindows < mostHeldWindows;

  function remember(entry: Entry, memory: PodMemory): void {
    const count = memory.windows.length;
    const added = count - entry.memory.windows.length;
    heldWindows += added;
    entry.memory = memory;
    if (count === 0) entry.heldSinceMs = Infinity;
    else if (added < 0 || entry.heldSinceMs === Infinity) entry.heldSinceMs = monotonicMs();
  }

  function close(entry: Entry): void {
    heldWindows -= entry.memory.windows.length;
    entry.client.close();
  }

  function makeRoom(): void {
    if (hasRoom()) return;
    const untilMs = monotonicMs() - HELD_MS;
    for (const { entries } of services.values()) {
      for (const entry of entries.values()) {
        if (entry.heldSinceMs <= untilMs) remember(entry, withoutHeld(entry.memory));
      }
    }
  }

  function open(
    key: string,
    pod: FleetPod,
    { counted, isOfStart }: { counted: CountedBoot | undefined; isOfStart: boolean },
  ): Entry {
    return {
      memory: counted === undefined ? unheardPod(pod) : countedPod(pod, counted),
      trouble: null,
      client: options.connect(key, pod),
      isOfStart,
      dueMs: monotonicMs(),
      turn: Promise.resolve(),
      isPolling: false,
      consumed: { bootId: '', seq: 0 },
      heldSinceMs: Infinity,
    };
  }

  /** Work on one pod in turn; what it found counts only while the pod is still followed. */
  function inTurn(key: string, entry: Entry, work: () => Promise<PodMemory>): Promise<void> {
    entry.turn = entry.turn.then(async () => {
      const before = entry.memory;
      const after = await work();
      const isFollowed = services.get(key)?.entries.get(before.pod.uid) === entry;
      if (!isFollowed || signal.aborted) return;
      remember(entry, withoutConsumed(after, entry.consumed));
      const { trouble } = entry;
      entry.trouble = troubleOf(after, monotonicMs());
      const change = entry.trouble === trouble ? findChange(before, after) : 'Pod';
      if (change !== null) options.onChange(key, mayWait(key, entry, before) ? 'Figures' : change);
    });
    return entry.turn;
  }

  /**
   * First words for which a pass may wait until the other pods have said theirs: before something is published no push can overtake
   * them, and of pods that were there before this process nothing is news.
   */
  function mayWait(key: string, { isOfStart }: Entry, { heardMs }: PodMemory): boolean {
    return heardMs === null && (isOfStart || services.get(key)?.publication === null);
  }

  /** That long from now, give or take a tenth. */
  function spread(waitMs: number): number {
    return monotonicMs() + waitMs * (0.9 + 0.2 * options.random());
  }

  async function poll(key: string, service: Service, entry: Entry): Promise<void> {
    const limit = entry.memory.problem?.code === 'NoAnswer' ? silentLimit : pollLimit;
    await limit(() =>
      inTurn(key, entry, async () => {
        const { memory, client } = entry;
        const from = service.needsFigures ? { ...memory, stateDigest: '' } : memory;
        const { onPull } = options;
        const said = await pollPod(from, client, { monotonicMs, onPull, hasRoom });
        const shared = { ...said, ...shareWords(said, { before: memory, heard: service.heard }) };
        service.heard = shared;
        return shared;
      }),
    );
    entry.dueMs = isAwaited(service, entry)
      ? spread(Math.min(service.pollMs, SOON_MS.starting))
      : Infinity;
    await pushIfNeeded(key, service, entry);
  }

  function isAwaited({ publication }: Service, { memory }: Entry): boolean {
    if (memory.state?.loaded !== true) return true;
    const isSilent = memory.problem?.code === 'NoAnswer';
    return isSilent && publication !== null && needsPush(memory.acknowledgement, publication);
  }

  async function pushIfNeeded(key: string, service: Service, entry: Entry): Promise<void> {
    await pushLimit(() =>
      inTurn(key, entry, async () => {
        const { memory } = entry;
        const isReachable = memory.problem === null && memory.state?.loaded === true;
        if (service.publication === null || signal.aborted || !isReachable) return memory;
        const publication = forPod(service.publication, memory.pod.uid);
        if (!needsPush(memory.acknowledgement, publication)) return memory;
        return push(entry, publication);
      }),
    );
  }

  async function push(entry: Entry, publication: Publication): Promise<PodMemory> {
    const { memory, client } = entry;
    const pushed = await pushToPod(client, publication, heldRevisions(memory));
    if (!pushed.ok) {
      // It may have arrived all the same: the next evidence says so.
      entry.dueMs = Math.min(entry.dueMs, monotonicMs() + SOON_MS.missed);
      return { ...memory, problem: { code: pushed.code, message: pushed.message } };
    }
    const { podUid, bootId } = pushed.value;
    if (podUid !== memory.pod.uid || bootId !== memory.bootId) {
      entry.dueMs = monotonicMs();
      return memory;
    }
    return { ...memory, acknowledgement: pushed.value, heardMs: monotonicMs(), problem: null };
  }

  async function pollDue(): Promise<void> {
    makeRoom();
    measureCrowding();
    const nowMs = monotonicMs();
    const polls = [...services].flatMap(([key, service]) => {
      const isRound = service.roundMs <= nowMs;
      if (isRound) service.roundMs = spread(roundOf(service));
      return [...service.entries.values()].flatMap((entry) => {
        if (entry.isPolling || (!isRound && entry.dueMs > nowMs)) return [];
        entry.isPolling = true;
        return poll(key, service, entry).finally(() => {
          entry.isPolling = false;
        });
      });
    });
    await Promise.all(polls);
  }

  function unfollow(key: string): void {
    for (const entry of services.get(key)?.entries.values() ?? []) close(entry);
    services.delete(key);
  }

  return {
    follow: (key, { pods, pollMs, needsFigures = false, counted }) => {
      const isOfStart = !services.has(key);
      const service = serviceOf(key);
      service.pollMs = pollMs;
      service.needsFigures = needsFigures;
      // A shorter wait holds for the one that is running.
      service.roundMs = Math.min(service.roundMs, monotonicMs() + roundOf(service) * 1.1);
      for (const [uid, entry] of service.entries) {
        if (pods.some((pod) => isSameAddress(pod, entry.memory.pod))) continue;
        close(entry);
        service.entries.delete(uid);
      }
      const added = pods.filter(({ uid }) => !service.entries.has(uid));
      const boots = added.length === 0 ? undefined : counted?.();
      for (const pod of added) {
        service.entries.set(pod.uid, open(key, pod, { counted: boots?.get(pod.uid), isOfStart }));
      }
    },
    unfollow,
    pods: (key) => [...(services.get(key)?.entries.values() ?? [])].map(({ memory }) => memory),
    publish: async (key, publication) => {
      const service = services.get(key);
      if (service === undefined) return;
      service.publication = publication;
      const entries = [...service.entries.values()];
      await Promise.all(entries.map((entry) => pushIfNeeded(key, service, entry)));
    },
    publication: (key) => services.get(key)?.publication ?? null,
    call: async (key, podUid, call) => {
      const entry = services.get(key)?.entries.get(podUid);
      return entry === undefined
        ? { ok: false, code: 'NoAnswer', message: `pod ${podUid} is not there` }
        : entry.client.call(call);
    },
    dropConsumed: (key, watermarks) => {
      for (const entry of services.get(key)?.entries.values() ?? []) {
        const { pod, bootId } = entry.memory;
        const seq = watermarks.get(`${pod.uid} ${bootId ?? ''}`) ?? 0;
        entry.consumed = { bootId: bootId ?? '', seq };
        remember(entry, withoutConsumed(entry.memory, entry.consumed));
      }
    },
    pollDue,
    run: async () => {
      while (!signal.aborted) {
        // A slow pod holds its own poll alone.
        void pollDue();
        await sleep(clock, TICK_MS, signal);
      }
      for (const key of services.keys()) unfollow(key);
    },
  };
}

function isSameAddress(a: FleetPod, b: FleetPod): boolean {
  return a.uid === b.uid && a.ip === b.ip && a.adminGeneration === b.adminGeneration;
}

function withoutConsumed(memory: PodMemory, { bootId, seq: last }: Entry['consumed']): PodMemory {
  if (memory.bootId !== bootId) return memory;
  return {
    ...memory,
    windows: memory.windows.filter(({ seq }) => seq > last),
    droppedSeqs: memory.droppedSeqs.filter((seq) => seq > last),
  };
}
