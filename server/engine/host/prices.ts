// The measured table at any number of rows, for the cuts of one segment plan.
import type { CostTable } from '../../../crds/wire/state.ts';
import { partsOf } from '../batch-parts.ts';

export interface Prices {
  readonly plainMs: (rows: number) => number;
  /** Segment `index` of the plan without heads; `cuts.length` = the last. */
  readonly segmentMs: (index: number, rows: number) => number;
  readonly headMs: (cut: number, rows: number) => number;
  /** A companion with its scores. @param place in the table */
  readonly companionMs: (place: number, rows: number) => number;
  readonly compactMs: (cut: number, rows: number) => number;
  /** Compaction of the rows that a companion leaves over. */
  readonly gatherMs: (place: number, rows: number) => number;
  /** All that follows the cut; the whole way through the backbone from -1. */
  readonly restMs: (cut: number, rows: number) => number;
}

/**
 * @param cuts tensors of the plan, all of them in the table. Segments between them add up, less what the table's cuts in between
 * cost: the surplus of all segments over plain time, in equal parts. Where segments start at the input, each is what it is.
 */
export function createPrices(table: CostTable, cuts: readonly string[]): Prices {
  const places = cuts.map((tensor) => table.cuts.indexOf(tensor));
  const { companions = 0, fromInput } = table;
  const between = fromInput === true ? padded : interpolate;
  const at = (rows: number, values: (size: number) => number): number =>
    between(table.batchSizes, rows, values);
  const segmentMs = (index: number, rows: number): number => {
    if (fromInput === true) {
      const own = index === cuts.length ? table.cuts.length : (places[index] ?? -1);
      return at(rows, (size) => table.segmentMs[size]?.[own] ?? NaN);
    }
    const from = index === 0 ? companions : (places[index - 1] ?? 0) + 1;
    const to = index === cuts.length ? table.cuts.length : (places[index] ?? 0);
    return at(rows, (size) => {
      const segments = table.segmentMs[size] ?? [];
      const surplus = total(segments.slice(companions)) - (table.plainMs[size] ?? 0);
      const cutMs = Math.max(0, surplus) / Math.max(1, table.cuts.length - companions);
      return Math.max(0, total(segments.slice(from, to + 1)) - (to - from) * cutMs);
    });
  };
  const headMs = (cut: number, rows: number): number =>
    at(rows, (size) => table.headMs[size]?.[places[cut] ?? -1] ?? NaN);
  const restMs = (cut: number, rows: number): number => {
    let sum = segmentMs(cut + 1, rows);
    for (let later = cut + 1; later < cuts.length; later += 1) {
      sum += segmentMs(later + 1, rows) + headMs(later, rows);
    }
    return sum;
  };
  const companionMs = (place: number, rows: number): number =>
    at(rows, (size) => table.segmentMs[size]?.[place] ?? NaN);
  const gatherMs = (place: number, rows: number): number =>
    at(rows, (size) => table.compactMs[size]?.[place] ?? NaN);
  const compactMs = (cut: number, rows: number): number => gatherMs(places[cut] ?? -1, rows);
  const plainMs = remembered((_, rows) => at(rows, (size) => table.plainMs[size] ?? NaN));
  return {
    plainMs: (rows) => plainMs(0, rows),
    segmentMs: remembered(segmentMs),
    headMs: remembered(headMs),
    compactMs: remembered(compactMs),
    companionMs: remembered(companionMs),
    gatherMs: remembered(gatherMs),
    restMs: remembered(restMs),
  };
}

type PriceOf = (cut: number, rows: number) => number;

/** Every batch asks, and the answers are few: one per cut and number of rows. */
function remembered(price: PriceOf): PriceOf {
  const known: (number | undefined)[][] = [];
  return (cut, rows) => {
    const ofCut = (known[cut + 1] ??= []);
    return (ofCut[rows] ??= price(cut, rows));
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** What the sizes take that a batch is padded to. */
function padded(sizes: readonly number[], rows: number, value: (index: number) => number): number {
  return partsOf(rows, sizes).reduce((sum, part) => sum + value(sizes.indexOf(part.padded)), 0);
}

/** Linear between measured sizes, in proportion beyond the last. */
function interpolate(
  sizes: readonly number[],
  rows: number,
  value: (index: number) => number,
): number {
  const upper = sizes.findIndex((size) => size >= rows);
  const last = sizes.length - 1;
  if (upper < 0) return (value(last) * rows) / (sizes[last] ?? NaN);
  const [low, high] = [sizes[upper - 1] ?? 0, sizes[upper] ?? NaN];
  if (upper === 0 || high === rows) return value(upper);
  const share = (rows - low) / (high - low);
  return value(upper - 1) * (1 - share) + value(upper) * share;
}
