import { OBJECT, SERVICE, type Service } from '../queries/label-sets.ts';
import {
  aggregate,
  asServerLabels,
  formula,
  increase,
  NO_SCOPE,
  rate,
  ratio,
  seriesIn,
  sum,
  type Query,
} from '../queries/query.ts';
import { alert, type Alert, type Severity } from './alert.ts';
import { above, recorded, WINDOWS, type LongWindow, type Window } from './recorded.ts';
import type { TimeScale } from './time-scale.ts';

const { gauge, counter } = seriesIn(NO_SCOPE);

/** Fewer audited answers say nothing: two wrong ones of three must wake nobody. */
const MIN_AUDITS = 30;

/** Loss at so many times the budget, over a long window surely and over a short one still. At most half of the answers: else a large budget never pages. */
function burns(factor: number, long: LongWindow, short: Window): Query<Service> {
  const rung = {
    text: `clamp_max(${factor} * model:layercache_budget:ratio, 0.5)`,
    labels: SERVICE,
  };
  const sure = formula`${recorded(`model:layercache_disagreement:lower95_${long}`)} > ${rung}`;
  const still = formula`${recorded(`model:layercache_disagreement:ratio${short}`)} > ${rung}`;
  return formula`${sure} and ${still} and ${enoughAudits(long)}`;
}

function enoughAudits(window: LongWindow): Query<Service> {
  return formula`${recorded(`model:layercache_audited_exits:count${window}`)} >= ${MIN_AUDITS}`;
}

interface Burn {
  readonly name: string;
  readonly severity: Severity;
  readonly factor: number;
  readonly long: LongWindow;
  readonly short: Window;
  readonly forMinutes: number;
}

const BURNS: readonly Burn[] = [
  {
    name: 'BudgetBurnFast',
    severity: 'critical',
    factor: 14.4,
    long: '1h',
    short: '5m',
    forMinutes: 2,
  },
  { name: 'BudgetBurn', severity: 'critical', factor: 6, long: '6h', short: '30m', forMinutes: 15 },
  {
    name: 'BudgetBurnSlow',
    severity: 'warning',
    factor: 1,
    long: '3d',
    short: '6h',
    forMinutes: 60,
  },
];

export function accuracyAlerts(scale: TimeScale): readonly Alert[] {
  return [...BURNS.map(burnAlert), notMitigated(scale), unmeasured(scale), dropped(scale)];
}

/** One rule is for services of either agreement. */
const WHAT_IS_LOST =
  "An answer that differs from the backbone's loses 1; where accuracy.agreement is F1, 1 - F1 of its boxes.";

function burnAlert({ name, severity, factor, long, short, forMinutes }: Burn): Alert {
  return alert({
    name,
    severity,
    query: burns(factor, long, short),
    summary:
      'Service {{ $labels.namespace }}/{{ $labels.model }} is further from its backbone than its budget allows.',
    description: `Over the answers of the last ${long} the loss is at least {{ $value | humanizePercentage }} (95 % confidence): more than ${factor} times the budget. ${WHAT_IS_LOST}`,
    forMinutes,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

const anyExit = aggregate('max', gauge('exitEnabled'), SERVICE);

function notMitigated(scale: TimeScale): Alert {
  const alarms = asServerLabels(sum(increase(counter('alarms'), scale.range(15)), OBJECT));
  const surelyOver = formula`${recorded('model:layercache_disagreement:lower95_1h')} > ${recorded('model:layercache_budget:ratio')} and ${enoughAudits('1h')}`;
  return alert({
    name: 'AlarmNotMitigated',
    severity: 'critical',
    query: formula`(${alarms} > 0 or ${surelyOver}) and ${anyExit} == 1`,
    summary:
      'Exits of {{ $labels.namespace }}/{{ $labels.model }} answer although its budget is violated.',
    description:
      'There was an alarm, or the loss of the last hour is surely above the budget, and 10 minutes later an exit is on somewhere. Exits should have gone off within minutes.',
    forMinutes: 10,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

function unmeasured(scale: TimeScale): Alert {
  const exited = recorded('model:layercache_exited_rows:rate5m');
  const before = { text: `${exited.text} offset ${scale.range(WINDOWS['6h'])}`, labels: SERVICE };
  return alert({
    name: 'DisagreementUnmeasured',
    severity: 'warning',
    query: formula`${exited} > 0 and ${before} > 0 unless ${enoughAudits('6h')}`,
    summary:
      'Nobody knows how far {{ $labels.namespace }}/{{ $labels.model }} answers from its backbone.',
    description: `Exits have answered for 6 hours and fewer than ${MIN_AUDITS} of their answers were audited: alerts about the budget cannot fire.`,
    forMinutes: 30,
    keepFiringMinutes: 10,
    board: 'layercache-service',
  });
}

function dropped(scale: TimeScale): Alert {
  const range = scale.range(15);
  const lost = sum(rate(counter('auditsDropped'), range), SERVICE);
  const done = sum(rate(counter('audits'), range), SERVICE);
  const chosen = formula`${lost} + ${done}`;
  const enough = formula`${chosen} * ${15 * scale.minuteSeconds} >= ${MIN_AUDITS}`;
  const tooMany = above(ratio(lost, chosen), 'audits_dropped_ratio');
  return alert({
    name: 'AuditsDropped',
    severity: 'warning',
    query: { text: `${tooMany.text} and (${enough.text})`, labels: SERVICE },
    summary: 'Service {{ $labels.namespace }}/{{ $labels.model }} loses audits.',
    description:
      '{{ $value | humanizePercentage }} of the chosen audits were lost in 15 minutes. Above 1 % the evidence of a window is void: certificates and breakers stand still.',
    forMinutes: 15,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}
