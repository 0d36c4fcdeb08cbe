import type { Track } from '../crds/wire/evidence.ts';
import { exitPlace } from '../crds/wire/exit-place.ts';
import { ownSegments } from './core/own-segments.ts';
import type { Serving } from './serving.ts';
import { trackOf } from './serving.ts';

/** Engine seconds of one row that comes alone, by the measured table: what people see, never what decides. */
export interface RowPrices {
  readonly backbone: number;
  /** [exit] Segments of the backbone behind it. */
  readonly avoided: readonly number[];
  /** [n] The first n heads; a companion is a head with a model of its own, and so is a cut whose segment starts at the input. */
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
  const own = ownSegments(serving.costs);
  const segments = segmentMs[0] ?? [];
  const cutsOfExits = (trackOf(serving, track)?.bundle.heads ?? []).map((head) =>
    cuts.indexOf(exitPlace(head)),
  );
  const spentMs = (cut: number): number =>
    (headMs[0]?.[cut] ?? 0) + (cut < own ? (segments[cut] ?? 0) : 0);
  const heads = cutsOfExits.reduce(
    (sums, cut) => [...sums, (sums.at(-1) ?? 0) + spentMs(cut) / 1000],
    [0],
  );
  const behind = (cut: number): number => Math.max(own, cut + 1);
  return {
    backbone: seconds(segments.slice(own)),
    avoided: cutsOfExits.map((cut) => (cut === -1 ? 0 : seconds(segments.slice(behind(cut))))),
    heads,
  };
}

function seconds(ms: readonly number[]): number {
  return ms.reduce((sum, one) => sum + one, 0) / 1000;
}
