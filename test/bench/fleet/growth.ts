/** A size and what was measured at it. */
export interface SizedCost {
  readonly size: number;
  readonly cost: number;
}

/**
 * Exponent of a power law through the points, by least squares of their logarithms: 1 is linear, 2 quadratic. NaN for
 * fewer than two sizes. Points without a cost are left out: they have no logarithm.
 */
export function growthExponent(points: readonly SizedCost[]): number {
  return slopeOf(
    points
      .filter(({ cost }) => cost > 0)
      .map(({ size, cost }) => ({ size: Math.log(size), cost: Math.log(cost) })),
  );
}

/** Cost of one more, by least squares; NaN for fewer than two sizes. */
export function slopeOf(points: readonly SizedCost[]): number {
  const meanOf = (of: (point: SizedCost) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const size = meanOf((point) => point.size);
  const cost = meanOf((point) => point.cost);
  const spread = points.reduce((sum, point) => sum + (point.size - size) ** 2, 0);
  const shared = points.reduce((sum, point) => sum + (point.size - size) * (point.cost - cost), 0);
  return spread > 0 ? shared / spread : Number.NaN;
}
