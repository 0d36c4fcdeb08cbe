import { sleep, type KubeClock } from '../kube/clock.ts';
import type { AdminClient } from './admin-client.ts';
import type { FleetPod, PodProblem } from './fleet-pod.ts';
import { limitConcurrency } from './limit-concurrency.ts';
import { pullBundle, type VerifiedBundle } from './pull-bundle.ts';
import { pullTrainerState, sendDone, type TrainerState } from './trainer-client.ts';

/** The pod of a training Job. */
export interface TrainerPod extends FleetPod {
  readonly attempt: number;
}

/** What a trainer has said. */
export interface TrainerView {
  readonly pod: TrainerPod;
  /** Null before the first answer. */
  readonly state: TrainerState | null;
  /** What it offers, once its bytes have the digest it told. */
  readonly bundle: VerifiedBundle | null;
  readonly problem: PodProblem | null;
  /** It was told that it may end. */
  readonly isEnding: boolean;
}

/** Trainers as a cache: polled in the background, read without waiting. One per service at a time. */
export interface TrainerStore {
  /** Asks this pod from now on; null: none. What was said stays for as long as the attempt is the same. */
  followTrainer(key: string, pod: TrainerPod | null): void;
  trainer(key: string, attempt: number): TrainerView | null;
  /** Tells the trainer that it may end; it is told again until it is gone. */
  endTrainer(key: string): void;
  pollTrainers(): Promise<void>;
  runTrainers(): Promise<void>;
}

export interface TrainerStoreOptions {
  readonly clock: KubeClock;
  readonly signal: AbortSignal;
  readonly connect: (key: string, pod: FleetPod) => AdminClient;
  readonly onChange: (key: string) => void;
}

interface Entry {
  view: TrainerView;
  readonly client: AdminClient;
  isPolling: boolean;
  dueMs: number;
}

const POLL_MS = 5_000;
const TICK_MS = 500;
const POLLS_AT_ONCE = 4;

export function createTrainerStore(options: TrainerStoreOptions): TrainerStore {
  const { clock, signal, connect, onChange } = options;
  const entries = new Map<string, Entry>();
  const limit = limitConcurrency(POLLS_AT_ONCE);

  async function poll(key: string, entry: Entry): Promise<void> {
    const before = entry.view;
    const after = await limit(() => ask(entry));
    entry.dueMs = clock.monotonicMs() + POLL_MS;
    if (entries.get(key) !== entry || signal.aborted) return;
    entry.view = { ...after, isEnding: entry.view.isEnding };
    if (isChange(before, after)) onChange(key);
  }

  async function pollTrainers(): Promise<void> {
    const nowMs = clock.monotonicMs();
    const due = [...entries].filter(([, entry]) => !entry.isPolling && entry.dueMs <= nowMs);
    await Promise.all(
      due.map(([key, entry]) => {
        entry.isPolling = true;
        return poll(key, entry).finally(() => {
          entry.isPolling = false;
        });
      }),
    );
  }

  function forget(key: string): void {
    entries.get(key)?.client.close();
    entries.delete(key);
  }

  return {
    followTrainer: (key, pod) => {
      const known = entries.get(key)?.view.pod;
      if (pod === null) {
        forget(key);
        return;
      }
      if (known !== undefined && isSamePod(known, pod)) return;
      forget(key);
      entries.set(key, {
        view: { pod, state: null, bundle: null, problem: null, isEnding: false },
        client: connect(key, pod),
        ...{ isPolling: false, dueMs: clock.monotonicMs() },
      });
    },
    trainer: (key, attempt) => {
      const view = entries.get(key)?.view;
      return view?.pod.attempt === attempt ? view : null;
    },
    endTrainer: (key) => {
      const entry = entries.get(key);
      if (entry === undefined || entry.view.isEnding) return;
      entry.view = { ...entry.view, isEnding: true };
      entry.dueMs = clock.monotonicMs();
    },
    pollTrainers,
    runTrainers: async () => {
      while (!signal.aborted) {
        void pollTrainers();
        await sleep(clock, TICK_MS, signal);
      }
      for (const key of [...entries.keys()]) forget(key);
    },
  };
}

async function ask({ view, client }: Entry): Promise<TrainerView> {
  if (view.isEnding) {
    const told = await sendDone(client);
    return { ...view, problem: told.ok ? null : { code: told.code, message: told.message } };
  }
  const pulled = await pullTrainerState(client);
  if (!pulled.ok) return { ...view, problem: { code: pulled.code, message: pulled.message } };
  const state = pulled.value;
  const { digest } = state;
  const isOffered = state.state === 'Done' && state.outcome === 'Trained' && digest !== null;
  if (!isOffered || view.bundle !== null) return { ...view, state, problem: null };
  const bundle = await pullBundle(client, digest);
  return bundle.ok
    ? { ...view, state, bundle: bundle.value, problem: null }
    : { ...view, state, problem: { code: bundle.code, message: bundle.message } };
}

function isSamePod(a: TrainerPod, b: TrainerPod): boolean {
  return a.uid === b.uid && a.ip === b.ip && a.attempt === b.attempt;
}

function isChange(before: TrainerView, after: TrainerView): boolean {
  return (
    before.state?.state !== after.state?.state ||
    before.bundle?.headRevision !== after.bundle?.headRevision ||
    before.problem?.code !== after.problem?.code
  );
}
