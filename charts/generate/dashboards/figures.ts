import {
  aggregate,
  formula,
  increase,
  rate,
  ratio,
  sum,
  type Query,
  type Series,
} from '../queries/query.ts';

// Figures that several boards show, one definition each.

const SERVICE = ['namespace', 'model'] as const;
type Service = (typeof SERVICE)[number];
type ComputeKind = 'segment' | 'head' | 'companion' | 'compact' | 'audit';

/** Rows that an exit answered, of all. */
export function exitShare(series: Series, range?: string): Query<Service> {
  const early = series.counter('rows', { exit: { not: 'backbone' } });
  return ratio(sum(rate(early, range), SERVICE), sum(rate(series.counter('rows'), range), SERVICE));
}

/** Audited answers of exits that are unlike the backbone, of all answers: audits tell the first share, rows the second. */
export function disagreement(series: Series, range: string): Query<Service> {
  const audits = (results: readonly ('agree' | 'disagree')[]): Query<Service> => {
    const counter = series.counter('audits', {
      exit: { not: 'backbone' },
      result: { oneOf: results },
    });
    return sum(increase(counter, range), SERVICE);
  };
  const share = exitShare(series, range);
  return formula`${ratio(audits(['disagree']), audits(['agree', 'disagree']))} * ${share}`;
}

/** Engine time that exits saved, less what they cost, of what the backbone alone would have taken. */
export function netSaving(series: Series, range?: string): Query<Service> {
  const spent = (kinds: readonly ComputeKind[]): Query<Service> =>
    sum(rate(series.counter('computeSeconds', { kind: { oneOf: kinds } }), range), SERVICE);
  const avoided = sum(rate(series.counter('computeAvoided'), range), SERVICE);
  const costs = spent(['head', 'companion', 'compact', 'audit']);
  const plain = formula`${avoided} + ${spent(['segment'])}`;
  return ratio(formula`${avoided} - ${costs}`, plain);
}

const OBJECT = ['model_namespace', 'model'] as const;

/** Services whose disagreement, as the operator decided with it, is above their budget. */
export function overBudget(series: Series): Query<(typeof OBJECT)[number]> {
  const point = aggregate('max', series.gauge('serviceDisagreement', { bound: 'point' }), OBJECT);
  return formula`${point} > ${aggregate('max', series.gauge('serviceBudget'), OBJECT)}`;
}

/** Services that answer from exits on fewer than 30 audited rows. */
export function unmeasured(series: Series): Query<(typeof OBJECT)[number]> {
  const isOn = series.gauge('serviceCondition', { condition: 'ExitsActive' });
  const rows = series.gauge('serviceEvidence', { track: 'stable' });
  return formula`${aggregate('max', isOn, OBJECT)} == 1 unless ${aggregate('max', rows, OBJECT)} >= 30`;
}
