import { exitAudits, exitLoss, exitRows, netTime, plainTime } from '../queries/exit-figures.ts';
import { SERVICE, type Service } from '../queries/label-sets.ts';
import {
  formula,
  NO_SCOPE,
  rate,
  ratio,
  seriesIn,
  sum,
  aggregate,
  type Query,
} from '../queries/query.ts';
import type { TimeScale } from './time-scale.ts';

/**
 * The accuracy SLO: per service and window the loss is (what audited answers of exits lose / their number) x (rows that exits answered /
 * all rows). An answer that differs from the backbone's loses 1, or where the budget bounds F1 as much as its boxes do. Audits are drawn before content, and the second factor is exact, so hours with exits off do not distort it.
 * Long windows add up the rates of 5 minutes that are recorded each minute: raw counters of 200 pods over 3 days would be
 * 40 million samples for each evaluation.
 */

/** Minutes of each window, by its name in the rules. */
export const WINDOWS = { '5m': 5, '30m': 30, '1h': 60, '6h': 360, '3d': 4320 } as const;
export type Window = keyof typeof WINDOWS;
/** Windows with a lower bound: the long ones of the burn pairs. */
export const LONG_WINDOWS = ['1h', '6h', '3d'] as const satisfies readonly Window[];
export type LongWindow = (typeof LONG_WINDOWS)[number];

/** What an operator of the chart may set: each is a rule, so that it can be replaced without touching an expression. */
export const THRESHOLDS = {
  latency_p99_seconds: 1,
  rollout_step_seconds: 21_600,
  audits_dropped_ratio: 0.01,
  error_ratio: 0.05,
} as const;
export type Threshold = keyof typeof THRESHOLDS;

type RateName =
  | 'model:layercache_rows:rate5m'
  | 'model:layercache_exited_rows:rate5m'
  | 'model:layercache_audited_exits:rate5m'
  | 'model:layercache_exit_loss:rate5m'
  | 'model:layercache_compute_net:rate5m'
  | 'model:layercache_compute_plain:rate5m';

export type RecordedName =
  | RateName
  | 'model:layercache_budget:ratio'
  | `model:layercache_exited_rows:share${Window}`
  | `model:layercache_audited_exits:count${LongWindow}`
  | `model:layercache_exit_loss:mean${Window}`
  | `model:layercache_disagreement:ratio${Window}`
  | `model:layercache_disagreement:lower95_${LongWindow}`
  | `model:layercache_net_saving:ratio${Window}`;

/** A series that a rule wrote. */
export function recorded(name: RecordedName): Query<Service> {
  return { text: name, labels: SERVICE };
}

/** What is above a limit; that is one series without labels, so each is compared with it. */
export function above<L extends string>({ text, labels }: Query<L>, limit: Threshold): Query<L> {
  return { text: `(${text}) > on () group_left () layercache:threshold:${limit}`, labels };
}

export interface RecordingRule {
  readonly record: RecordedName | `layercache:threshold:${Threshold}`;
  readonly expr: string;
}

/** Of a normal distribution: one side, 95 %. */
const Z95 = 1.645;

export function recordingRules(scale: TimeScale): readonly RecordingRule[] {
  const limits = Object.entries(THRESHOLDS).map(([name, value]) => ({
    record: `layercache:threshold:${name as Threshold}` as const,
    expr: `vector(${value})`,
  }));
  return [...limits, ...rates(scale), ...windowRules(scale)];
}

const rule = (record: RecordedName, { text }: Query<Service>): RecordingRule => ({
  record,
  expr: text,
});

function rates(scale: TimeScale): readonly RecordingRule[] {
  const all = seriesIn(NO_SCOPE);
  const range = scale.range(WINDOWS['5m']);
  const audits = sum(rate(exitAudits(all, ['agree', 'disagree']), range), SERVICE);
  return [
    rule('model:layercache_rows:rate5m', sum(rate(all.counter('rows'), range), SERVICE)),
    rule('model:layercache_exited_rows:rate5m', sum(rate(exitRows(all), range), SERVICE)),
    rule('model:layercache_audited_exits:rate5m', audits),
    rule('model:layercache_exit_loss:rate5m', sum(exitLoss(all, rate, range), SERVICE)),
    rule('model:layercache_compute_net:rate5m', netTime(all, range)),
    rule('model:layercache_compute_plain:rate5m', plainTime(all, range)),
    // While pods change their policy the stricter of two budgets counts.
    rule('model:layercache_budget:ratio', aggregate('min', all.gauge('budget'), SERVICE)),
  ];
}

function windowRules(scale: TimeScale): readonly RecordingRule[] {
  const windows = Object.keys(WINDOWS) as Window[];
  return [
    ...windows.map((window) =>
      rule(
        `model:layercache_exited_rows:share${window}`,
        ratio(
          over('model:layercache_exited_rows:rate5m', window, scale),
          over('model:layercache_rows:rate5m', window, scale),
        ),
      ),
    ),
    ...LONG_WINDOWS.map((window) =>
      rule(
        `model:layercache_audited_exits:count${window}`,
        formula`${over('model:layercache_audited_exits:rate5m', window, scale)} * ${scale.minuteSeconds}`,
      ),
    ),
    ...windows.map((window) =>
      rule(
        `model:layercache_exit_loss:mean${window}`,
        ratio(
          over('model:layercache_exit_loss:rate5m', window, scale),
          over('model:layercache_audited_exits:rate5m', window, scale),
        ),
      ),
    ),
    ...windows.map((window) =>
      rule(`model:layercache_disagreement:ratio${window}`, disagreement(window)),
    ),
    ...LONG_WINDOWS.map((window) =>
      rule(`model:layercache_disagreement:lower95_${window}`, lowerBound(window)),
    ),
    ...windows.map((window) =>
      rule(
        `model:layercache_net_saving:ratio${window}`,
        ratio(
          over('model:layercache_compute_net:rate5m', window, scale),
          over('model:layercache_compute_plain:rate5m', window, scale),
        ),
      ),
    ),
  ];
}

/** A rate over a window: the sum of its values, one for each minute; over 5 minutes the rate itself. */
function over(name: RateName, window: Window, scale: TimeScale): Query<Service> {
  if (window === '5m') return recorded(name);
  return { text: `sum_over_time(${name}[${scale.range(WINDOWS[window])}])`, labels: SERVICE };
}

function disagreement(window: Window): Query<Service> {
  const lost = recorded(`model:layercache_exit_loss:mean${window}`);
  return formula`${lost} * ${recorded(`model:layercache_exited_rows:share${window}`)}`;
}

/**
 * One-sided lower bound of Wilson (1927) on the mean loss of audits, times the share of rows that exits answered. Losses between 0
 * and 1 spread at most as much as those of 0 and 1 with the same mean: of them the bound is lower than it need be.
 */
function lowerBound(window: LongWindow): Query<Service> {
  const n = recorded(`model:layercache_audited_exits:count${window}`);
  const p = recorded(`model:layercache_exit_loss:mean${window}`);
  const share = recorded(`model:layercache_exited_rows:share${window}`);
  const [z2, halfZ2, quarterZ2] = [Z95 ** 2, Z95 ** 2 / 2, Z95 ** 2 / 4].map((value) =>
    Number(value.toFixed(6)),
  ) as [number, number, number];
  const spread = formula`sqrt(${p} * (1 - ${p}) / ${n} + ${quarterZ2} / (${n} * ${n}))`;
  return formula`clamp_min((${p} + ${halfZ2} / ${n} - ${Z95} * ${spread}) / (1 + ${z2} / ${n}), 0) * ${share}`;
}
