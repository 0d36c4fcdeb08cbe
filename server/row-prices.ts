import type { Track } from '../crds/wire/evidence.ts';
import type { Serving } from './serving.ts';
import { trackOf } from './serving.ts';

/** Engine seconds of one row that comes alone, by the measured table: what people see, never what decides. */
export interface RowPrices {
  readonly backbone: number;
  /** [exit] Segments behind it. */
  readonly avoided: readonly number[];
  /** [n] The first n heads. */
  readonly heads: readonly number[];
}

const known = new WeakMap<Serving, Readonly<Record<Track, RowPrices>>>();

/** Remembered: every row asks. A track without heads has the price of the backbone alone. */
export function rowPrices(serving: Serving, track: Track): RowPrices {
  const ofTracks = known.get(serving);
  if (ofTracks !== undefined) return ofTracks[track];
  const read = {
    stable: readPrices(serving, 'stable'),
    candidate: readPrices(serving, 'candidate'),
  };
  known.set(serving, read);
  return read[track];
}

function readPrices(serving: Serving, track: Track): RowPrices {
  const { cuts, segmentMs, headMs } = serving.costs;
  const segments = segmentMs[0] ?? [];
  const cutsOfExits = (trackOf(serving, track)?.bundle.heads ?? []).map(({ tensor }) =>
    cuts.indexOf(tensor ?? ''),
  );
  const heads = cutsOfExits.reduce(
    (sums, cut) => [...sums, (sums.at(-1) ?? 0) + (headMs[0]?.[cut] ?? 0) / 1000],
    [0],
  );
  return {
    backbone: seconds(segments),
    avoided: cutsOfExits.map((cut) => (cut === -1 ? 0 : seconds(segments.slice(cut + 1)))),
    heads,
  };
}

function seconds(ms: readonly number[]): number {
  return ms.reduce((sum, one) => sum + one, 0) / 1000;
}
