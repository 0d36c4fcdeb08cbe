import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { PlannedRow, TrafficPlan } from '../traffic/traffic-plan.ts';
import type { InferClient } from './infer-client.ts';
import { createSlots, type Slots } from './slots.ts';
import { runSlices, type SliceHooks, type SliceLatencies } from './slices.ts';
import { createTurns } from './turns.ts';

/** What the lifecycle wants of the traffic now. */
export type Demand =
  /** Nothing: a finite stream is not spent while heads are trained or loaded. */
  | 'Hold'
  /** Rows that train heads. */
  | 'Training'
  /** All that follows. */
  | 'Serving'
  /** The same, with latency slices between. */
  | 'ServingWithSlices';

export interface ReplayOptions {
  readonly plan: TrafficPlan;
  readonly client: InferClient;
  readonly clock: Clock;
  readonly concurrency: number;
  /** Rows per second, sent at fixed times whatever comes back; null: closed loop. */
  readonly rate: number | null;
  /** Sent rows at most, opted-out ones aside; null: to the end of the stream. */
  readonly maxRows: number | null;
  readonly hooks: SliceHooks;
  /** Done before the first row is taken. */
  readonly prepare?: () => Promise<void>;
  /** Called after each row that is sent, with how many there were. */
  readonly onSent?: (sentRows: number) => void;
}

export interface Replay {
  /** Ends with the stream, or after `stop`. Never rejects for a failed request. */
  run(): Promise<void>;
  setDemand(demand: Demand): void;
  /** Every sent row has its answer. */
  idle(): Promise<void>;
  readonly stop: () => void;
  readonly isTrainingSpent: boolean;
  readonly sentRows: number;
  readonly latencies: SliceLatencies;
}

/** Rows between two groups of slices, rows of a group, and rows per side after which there are enough. */
const SLICE_EVERY_ROWS = 400;
const SLICE_ROWS = 100;
const MAX_SLICE_ROWS = 3_000;
/** Open loop: answers that are outstanding at most, as servers refuse more. */
const OPEN_LOOP_SLOTS = 200;
const POLL_MS = 20;

export function createReplay(options: ReplayOptions): Replay {
  const slots = createSlots(options.rate === null ? options.concurrency : OPEN_LOOP_SLOTS);
  const latencies: SliceLatencies = { backboneMs: [], layercacheMs: [] };
  const state = {
    demand: 'Hold' as Demand,
    isStopped: false,
    isTrainingSpent: false,
    sent: 0,
    sinceSlices: 0,
  };
  const turns = createTurns();
  const pace = createPace(options.rate, options.clock);

  const isSpent = (): boolean => options.maxRows !== null && state.sent >= options.maxRows;

  const slice = async (): Promise<boolean> => {
    await slots.idle();
    await slots.acquire();
    try {
      const rows = isSliceDue() ? takeRows(options.plan, SLICE_ROWS) : [];
      state.sent += rows.length;
      if (rows.length > 0) options.onSent?.(state.sent);
      state.sinceSlices = 0;
      if (rows.length > 0) await runSlices(options.client, rows, options.hooks, latencies);
      return rows.length > 0 || state.demand !== 'ServingWithSlices';
    } finally {
      slots.release();
    }
  };

  const isSliceDue = (): boolean =>
    state.demand === 'ServingWithSlices' &&
    state.sinceSlices >= SLICE_EVERY_ROWS &&
    latencies.layercacheMs.length < MAX_SLICE_ROWS;

  /** The row that the demand of this moment asks for. */
  const takeRow = (): PlannedRow | null => {
    if (state.isStopped || state.demand === 'Hold') return null;
    if (state.demand !== 'Training') return options.plan.nextServing();
    const row = options.plan.nextTraining();
    state.isTrainingSpent = row === null;
    return row;
  };

  const sendNext = async (): Promise<boolean> => {
    await pace();
    // The place is taken before the row: whoever waits for `idle` after changing the demand sees no late row.
    await slots.acquire();
    const row = takeRow();
    if (row === null) {
      slots.release();
      return false;
    }
    state.sent += 1;
    state.sinceSlices += 1;
    void turns(row.clip, () => deliver(row, options, slots));
    options.onSent?.(state.sent);
    return true;
  };

  /** False: the stream has ended. */
  const step = async (): Promise<boolean> => {
    if (isSliceDue()) return slice();
    const { demand } = state;
    if (demand !== 'Hold' && (await sendNext())) return true;
    const hasEnded = demand === state.demand && demand !== 'Hold' && demand !== 'Training';
    if (!hasEnded) await wait(POLL_MS);
    return !hasEnded;
  };

  return {
    run: async () => {
      await options.prepare?.();
      while (!state.isStopped && !isSpent()) if (!(await step())) break;
      await slots.idle();
    },
    setDemand: (demand) => {
      state.demand = demand;
    },
    idle: () => slots.idle(),
    stop: () => {
      state.isStopped = true;
    },
    get isTrainingSpent() {
      return state.isTrainingSpent;
    },
    get sentRows() {
      return state.sent;
    },
    latencies,
  };
}

function takeRows(plan: TrafficPlan, count: number): PlannedRow[] {
  const rows: PlannedRow[] = [];
  while (rows.length < count) {
    const row = plan.nextServing();
    if (row === null) break;
    rows.push(row);
  }
  return rows;
}

async function deliver(
  row: PlannedRow,
  { client, hooks }: ReplayOptions,
  slots: Slots,
): Promise<void> {
  try {
    const outcome = await client.infer([row.source.readRow(row.index)], 'auto', row.clip);
    if (outcome.ok) hooks.onAnswer(row, outcome.answer, outcome.latencyMs);
    else hooks.onError(outcome.code);
  } finally {
    slots.release();
  }
}

/** Waits until the next row's time is come: at most `rate` rows per second, without catching up after a hold. */
function createPace(rate: number | null, clock: Clock): () => Promise<void> {
  if (rate === null) return () => Promise.resolve();
  const intervalMs = 1000 / rate;
  let nextMs = clock.monotonicMs();
  return async () => {
    const nowMs = clock.monotonicMs();
    const waitMs = nextMs - nowMs;
    nextMs = Math.max(nextMs, nowMs - 1000) + intervalMs;
    if (waitMs > 0) await wait(waitMs);
  };
}
