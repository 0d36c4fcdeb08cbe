import type { CostTable } from '../../crds/wire/state.ts';

/**
 * How many places of a cost table, the first ones, are each run as a whole of their own: their time is no part of plain time, and where
 * they are not asked they are not run. Companions; every cut too where segments start at the input.
 */
export function ownSegments({
  cuts,
  companions = 0,
  fromInput,
}: Pick<CostTable, 'cuts' | 'companions' | 'fromInput'>): number {
  return fromInput === true ? cuts.length : companions;
}
