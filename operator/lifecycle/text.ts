// Figures as people read them in decisions.
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';

/** 0.0123 -> "1.23%". */
export function percent(ratio: number): string {
  return `${String(Number((100 * ratio).toPrecision(3)))}%`;
}

/** 12345.6 -> "12,346". */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The value of a lambda, "none" for null. */
export function lambdaText(lambdaIndex: number | null): string {
  return lambdaIndex === null ? 'none' : String(LAMBDAS[lambdaIndex]);
}
