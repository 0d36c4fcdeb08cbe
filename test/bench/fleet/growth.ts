/**
 * Exponent of a power law through the points (size, cost), by least squares of their logarithms: 1 is linear, 2 quadratic. NaN for
 * fewer than two sizes. Points without a cost are left out: they have no logarithm.
 */
export function growthExponent(
  points: readonly { readonly size: number; readonly cost: number }[],
): number {
  const logs = points
    .filter(({ cost }) => cost > 0)
    .map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
  const meanOf = (of: (point: { x: number; y: number }) => number): number =>
    logs.reduce((sum, point) => sum + of(point), 0) / logs.length;
  const x = meanOf((point) => point.x);
  const y = meanOf((point) => point.y);
  const spread = logs.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const shared = logs.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return spread > 0 ? shared / spread : Number.NaN;
}
