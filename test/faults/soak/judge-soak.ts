/** What a process holds, taken while nothing but the resident service is there. */
export interface Held {
  readonly mebibytes: number;
  readonly handles: number;
  /** Lines of its metrics page; 0 for a process without one. */
  readonly series: number;
}

export interface Sample extends Held {
  readonly atMs: number;
}

/**
 * How much more a process may hold at the end of a run than in its middle. Node's collector gives memory back by steps, a connection
 * may be open or closed when handles are counted, and an outcome that is seen for the first time adds up to 9 series (measured). What
 * is kept for each of the fifteen services of the second hour grows past all of it.
 */
export const MOST_GROWTH: Held = { mebibytes: 16, handles: 4, series: 12 };

export const HOLDINGS = ['mebibytes', 'handles', 'series'] as const satisfies (keyof Held)[];

/** Slopes of all pairs, per millisecond; their median is not moved by a few samples that stand out (Theil and Sen). */
function medianSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points
    .flatMap(([x, y], i) => points.slice(i + 1).map(([later, y2]) => (y2 - y) / (later - x)))
    .toSorted((a, b) => a - b);
  const middle = Math.floor(slopes.length / 2);
  const at = (index: number): number => slopes[index] ?? NaN;
  return slopes.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}

/**
 * Growth over the second half of the samples: the slope there times its length. The first half warms up.
 * @returns NaN for fewer than two samples in the half: what was not seen is not flat
 */
export function growthOf(samples: readonly Sample[]): Held {
  const half = samples.slice(Math.floor(samples.length / 2));
  const spanMs = (half.at(-1)?.atMs ?? 0) - (half[0]?.atMs ?? 0);
  const growth = (holding: keyof Held): number =>
    medianSlope(half.map((sample) => [sample.atMs, sample[holding]])) * spanMs;
  return {
    mebibytes: growth('mebibytes'),
    handles: growth('handles'),
    series: growth('series'),
  };
}

/** What a process leaks. NaN leaks. */
export function leaksOf(samples: readonly Sample[]): readonly (keyof Held)[] {
  const growth = growthOf(samples);
  return HOLDINGS.filter((holding) => !(growth[holding] <= MOST_GROWTH[holding]));
}
