import type { LabelsOf } from './families.ts';
import { SERVICE, type Service } from './label-sets.ts';
import {
  formula,
  rate,
  sum,
  type CounterSeries,
  type increase,
  type Query,
  type Series,
} from './query.ts';

// What boards and rules mean by the same words: rows and audits of exits, and what exits save.

/** Answered by an exit. */
export const NO_BACKBONE = { exit: { not: 'backbone' } } as const;

/** Rows that an exit answered. */
export function exitRows(series: Series): CounterSeries<LabelsOf<'rows'>> {
  return series.counter('rows', NO_BACKBONE);
}

/** Audited answers of exits with these results. */
export function exitAudits(
  series: Series,
  results: readonly ('agree' | 'disagree')[],
): CounterSeries<LabelsOf<'audits'>> {
  return series.counter('audits', { ...NO_BACKBONE, result: { oneOf: results } });
}

/**
 * What audited answers of exits lose, as the agreement of their service counts it. Of a server that is older than the series each
 * answer that disagrees is wholly wrong.
 */
export function exitLoss(
  series: Series,
  moved: typeof rate | typeof increase,
  range?: string,
): Query<LabelsOf<'auditLoss'>> {
  const told = moved(series.counter('auditLoss', NO_BACKBONE), range);
  const wrong = moved(exitAudits(series, ['disagree']), range);
  return { text: `(${told.text}) or ignoring (result) (${wrong.text})`, labels: told.labels };
}

/** Kinds of engine time that there would be none of without exits. */
export const EXIT_COSTS = ['head', 'companion', 'compact', 'audit'] as const;

function spent(
  series: Series,
  kinds: readonly ('segment' | (typeof EXIT_COSTS)[number])[],
  range?: string,
): Query<Service> {
  return sum(rate(series.counter('computeSeconds', { kind: { oneOf: kinds } }), range), SERVICE);
}

/** Engine time of the segments that exits spared. */
export function avoidedTime(series: Series, range?: string): Query<Service> {
  return sum(rate(series.counter('computeAvoided'), range), SERVICE);
}

/** Engine time that exits saved, less what they cost. */
export function netTime(
  series: Series,
  range?: string,
  avoided = avoidedTime(series, range),
): Query<Service> {
  return formula`${avoided} - ${spent(series, EXIT_COSTS, range)}`;
}

/** Engine time that backbones alone would have taken. */
export function plainTime(
  series: Series,
  range?: string,
  avoided = avoidedTime(series, range),
): Query<Service> {
  return formula`${avoided} + ${spent(series, ['segment'], range)}`;
}
