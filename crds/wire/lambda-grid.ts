/** Number of values of lambda; a lambda travels as its index into this table. */
export const LAMBDA_COUNT = 120;

/**
 * The fixed grid (exits.md 2): index j is 1e-4 * 5000^(j / 119), rounded to six digits, from 0.0001 to 0.5, ascending.
 * Everyone compares with this table, so the rounding is part of the contract (a test pins its sha256).
 */
export const LAMBDAS: readonly number[] = Array.from({ length: LAMBDA_COUNT }, (_, j) =>
  Number((1e-4 * 5000 ** (j / (LAMBDA_COUNT - 1))).toPrecision(6)),
);

/** t_j = 1 - lambda_j, descending: a row leaves at the first exit whose score is strictly above t_j. Read only. */
export const THRESHOLDS: Float64Array = Float64Array.from(LAMBDAS, (lambda) => 1 - lambda);

/** True for a whole number from 0 to 119. NaN, strings and fractions give false. */
export function isLambdaIndex(x: unknown): x is number {
  return typeof x === 'number' && Number.isInteger(x) && x >= 0 && x < LAMBDA_COUNT;
}
