import type { CostTable, ServerState } from '../../../crds/wire/state.ts';
import type { RecordedCase } from './record-features.ts';

/** About what a core with AVX-512 does; it scales milliseconds that only ceilings of a head's shape look at. */
const MACS_PER_MS = 10e6;

/**
 * Prices by multiply-adds instead of measured times: heads and exits, hence the whole comparison, come out the same on every
 * machine and under any load. A server prices by what it measures.
 */
export function nominalCosts({ macs, exits, macsShare }: RecordedCase): {
  readonly costs: CostTable;
  readonly headCost: ServerState['headCost'];
} {
  const plainMs = macs / MACS_PER_MS;
  const ends = [...macsShare, 1];
  return {
    costs: {
      batchSizes: [1],
      cuts: exits.map(({ tensor }) => tensor ?? ''),
      plainMs: [plainMs],
      segmentMs: [ends.map((end, i) => (end - (ends[i - 1] ?? 0)) * plainMs)],
      headMs: [exits.map(() => 0)],
      compactMs: [exits.map(() => 0)],
    },
    headCost: { fixedMs: 0, msPerMillionMacs: 1e6 / MACS_PER_MS },
  };
}
