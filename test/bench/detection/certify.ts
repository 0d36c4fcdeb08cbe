// Certificates of a detector by the product's own looks, on blocks of rows.
import type { EvidenceGrid } from '../../../crds/wire/evidence.ts';
import { LAMBDA_COUNT } from '../../../crds/wire/lambda-grid.ts';
import { addTick, emptyBlocks } from '../../../operator/stats/dispersion.ts';
import {
  dueLook,
  takeLook,
  type AttemptTerms,
  type LookResult,
} from '../../../operator/stats/looks.ts';
import { agreementOf } from '../../../server/core/agreement.ts';
import { mergeGrids } from '../../../server/core/evidence.ts';
import { createLossGrid, unitGrid, type LossGrid } from '../../../server/core/loss-evidence.ts';
import { createRandom } from '../../../server/core/random.ts';
import { EXITS, type FrameRow } from './replay-frames.ts';

/** minAudits of the service: looks come at 800, 2,400 and 8,000 rows. */
const FIRST_LOOK_ROWS = 800;
/** Consecutive frames of a source in a tick: they are alike, and a block has to hold what is alike. */
const TICK_FRAMES = 60;

export function lossGridOf(rows: readonly FrameRow[]): LossGrid {
  const counter = createLossGrid(EXITS.length);
  for (const { scores, lossTenths } of rows) counter.addRow(scores, lossTenths);
  return counter.snapshot();
}

/** Stretches of each stream; a short rest joins the one before it. */
export function cutIntoTicks(streams: readonly (readonly FrameRow[])[]): FrameRow[][] {
  return streams.flatMap((rows) => {
    const count = Math.max(1, Math.floor(rows.length / TICK_FRAMES));
    return Array.from({ length: count }, (_, i) =>
      rows.slice(i * TICK_FRAMES, i === count - 1 ? undefined : (i + 1) * TICK_FRAMES),
    );
  });
}

/** The looks of an attempt on these ticks in this order. */
export function certify(ticks: readonly EvidenceGrid[], terms: AttemptTerms): LookResult[] {
  let blocks = emptyBlocks(EXITS.length);
  const looks: LookResult[] = [];
  for (const tick of ticks) {
    blocks = addTick(blocks, tick);
    const due = dueLook(blocks, FIRST_LOOK_ROWS, looks.at(-1)?.look ?? 0);
    if (due !== null) looks.push(takeLook({ blocks, pods: [] }, due, terms));
  }
  return looks;
}

export interface Replays {
  readonly attempts: number;
  /** Attempts in which a look accepted a lambda whose mean loss over all rows is above the budget. */
  readonly overBudget: number;
  readonly certified: number;
}

/**
 * Attempts on ticks drawn with replacement, so in another order and composition each; what all ticks together lose is the truth.
 */
export function replayAttempts(
  ticks: readonly EvidenceGrid[],
  terms: AttemptTerms,
  attempts: number,
): Replays {
  const all = ticks.reduce(mergeGrids);
  const { rowUnits } = agreementOf(terms);
  const isOver = Array.from(
    { length: LAMBDA_COUNT },
    (_, j) => (all.dis[j] ?? 0) / rowUnits > terms.budget * all.n,
  );
  // Any lambda up to the accepted one may be in force.
  const firstOver = isOver.indexOf(true);
  let overBudget = 0;
  let certified = 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const random = createRandom([20_261_127, attempt]);
    const drawn = ticks.flatMap(() => ticks[Math.floor(random.uniform() * ticks.length)] ?? []);
    const lambdas = certify(drawn, terms).flatMap(({ lambdaIndex }) => lambdaIndex ?? []);
    if (lambdas.length > 0) certified += 1;
    if (firstOver !== -1 && lambdas.some((lambda) => lambda >= firstOver)) overBudget += 1;
  }
  return { attempts, overBudget, certified };
}

export function toTicks(
  stretches: readonly (readonly FrameRow[])[],
  terms: AttemptTerms,
): EvidenceGrid[] {
  return stretches.map((rows) => unitGrid(lossGridOf(rows), agreementOf(terms)));
}
