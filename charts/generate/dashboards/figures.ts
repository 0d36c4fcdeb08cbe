import {
  avoidedTime,
  exitAudits,
  exitLoss,
  exitRows,
  netTime,
  plainTime,
} from '../queries/exit-figures.ts';
import { OBJECT, SERVICE, type Service, type ServiceObject } from '../queries/label-sets.ts';
import {
  age,
  aggregate,
  formula,
  increase,
  orNone,
  rate,
  ratio,
  sum,
  type Query,
  type Series,
} from '../queries/query.ts';

// Figures that several boards show, one definition each.

/** Rows that an exit answered, of all; none while there are no exits. */
export function exitShare(series: Series, range?: string): Query<Service> {
  const all = sum(rate(series.counter('rows'), range), SERVICE);
  return ratio(orNone(sum(rate(exitRows(series), range), SERVICE), all), all);
}

/** What audited answers of exits lose, of all answers: audits tell the mean of those, rows their share. */
export function disagreement(series: Series, range: string): Query<Service> {
  const lost = sum(exitLoss(series, increase, range), SERVICE);
  const audits = sum(increase(exitAudits(series, ['agree', 'disagree']), range), SERVICE);
  return formula`${ratio(lost, audits)} * ${exitShare(series, range)}`;
}

/** Of audited answers of exits in the last hour, the mean of what they keep; with their number. */
export function agreement<B extends 'exit' | 'track'>(
  series: Series,
  by: readonly B[],
): { readonly kept: Query<B>; readonly audits: Query<B> } {
  const audits = sum(increase(exitAudits(series, ['agree', 'disagree']), '1h'), by);
  const lost = sum(exitLoss(series, increase, '1h'), by);
  return { kept: formula`1 - ${ratio(lost, audits)}`, audits };
}

/** Engine time that exits saved, less what they cost, of what the backbone alone would have taken; none while there are no exits. */
export function netSaving(series: Series, range?: string): Query<Service> {
  const all = sum(rate(series.counter('rows'), range), SERVICE);
  const avoided = orNone(avoidedTime(series, range), all);
  return ratio(netTime(series, range, avoided), plainTime(series, range, avoided));
}

/** Services whose disagreement or F1 loss, as the operator decided with it, is above their budget. */
export function overBudget(series: Series): Query<ServiceObject> {
  const point = aggregate('max', series.gauge('serviceDisagreement', { bound: 'point' }), OBJECT);
  return formula`${point} > ${aggregate('max', series.gauge('serviceBudget'), OBJECT)}`;
}

/** Services that answer from exits on fewer than 30 audited rows. */
export function unmeasured(series: Series): Query<ServiceObject> {
  const isOn = series.gauge('serviceCondition', { condition: 'ExitsActive' });
  const rows = series.gauge('serviceEvidence', { track: 'stable' });
  return formula`${aggregate('max', isOn, OBJECT)} == 1 unless ${aggregate('max', rows, OBJECT)} >= 30`;
}

/** Seconds since the last time that each pod tells; it tells 0 while there was none. */
export function sinceByPod<L extends string>({ text, labels }: Query<'pod' | L>): Query<'pod'> {
  return age(aggregate('max', { text: `${text} > 0`, labels }, ['pod']));
}
