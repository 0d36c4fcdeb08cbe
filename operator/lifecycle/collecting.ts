// Collecting: exits off, every row may be recorded, until there are enough rows to train on and the cooldown is over.
import { countCollected, type CollectedRows } from './collected-rows.ts';
import type { Draft } from './draft.ts';
import type { Tick } from './tick.ts';
import { mayTrain, requestTraining } from './training-wishes.ts';
import type { TrainingCause, Ledger } from './ledger.ts';

/** Recorded rows that end collecting at once (exits.md 2). */
export const COLLECT_ROWS = 10_000;
/** After this long fewer rows suffice. */
export const PATIENCE_MS = 900_000;
/** Fewer are too few to train on, whatever memory holds. */
const MIN_ROWS = 2_000;
const MIN_ROWS_PER_CLASS = 20;

/** Heads are missing: whatever is recorded trains them. */
const MISSING: TrainingCause = { trigger: 'Missing', part: 'long', after: [] };

/** What the next training is for. */
export function trainingCause({ training }: Ledger): TrainingCause {
  return training.waiting ?? MISSING;
}

/** Rows that suffice where nobody waits for all that are wanted. */
export function enoughRows(classCount: number): number {
  return Math.max(MIN_ROWS, MIN_ROWS_PER_CLASS * classCount);
}

/** Rows that end collecting in pods that keep `capacityRows` together; 0: not known. */
export function wantedWithin(capacityRows: number): number {
  return capacityRows === 0 ? COLLECT_ROWS : atMostHeld(COLLECT_ROWS, capacityRows);
}

/** What is wanted, and no more than memory holds. */
function atMostHeld(wanted: number, heldRows: number): number {
  return Math.min(wanted, Math.max(MIN_ROWS, heldRows));
}

/** Rows that end collecting: all that is wanted, or all that memory holds, or after 15 minutes and after an alarm what suffices. */
export function wantedRows(
  ledger: Ledger,
  tick: Pick<Tick, 'input' | 'backbone' | 'nowMs'>,
  collected: CollectedRows,
): number {
  const { input, backbone, nowMs } = tick;
  const enough = enoughRows(backbone.classCount);
  const isUrgent =
    ledger.training.waiting?.trigger === 'Alarm' || nowMs - ledger.stageSinceMs >= PATIENCE_MS;
  const wanted = isUrgent ? Math.min(enough, input.collectRows) : input.collectRows;
  return collected.areAll ? atMostHeld(wanted, collected.rows) : wanted;
}

/** Asks for a training when rows and cooldown allow. */
export function collecting(draft: Draft, tick: Tick): Draft {
  const { ledger } = draft;
  const cause = trainingCause(ledger);
  const mayStart = mayTrain(ledger, tick.input) && hasCollected(ledger, tick, cause);
  return mayStart ? requestTraining(draft, tick, cause) : draft;
}

/** Whether a training for this cause would find the rows that it wants. */
export function hasCollected(ledger: Ledger, tick: Tick, cause: TrainingCause): boolean {
  const collected = countCollected(ledger, tick.input, cause);
  return collected.rows >= wantedRows(ledger, tick, collected);
}

/** Whether a training waits for rows, so that their number matters. */
export function awaitsRows({ stage, stable, training }: Ledger): boolean {
  return stage === 'Collecting' || training.waiting !== null || stable?.off === 'NotWorthwhile';
}
