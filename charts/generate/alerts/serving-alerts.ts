import { OBJECT, POD, SERVICE, type Service } from '../queries/label-sets.ts';
import {
  aggregate,
  asServerLabels,
  formula,
  increase,
  NO_SCOPE,
  overTime,
  quantile,
  rate,
  ratio,
  seriesIn,
  sum,
  type Query,
} from '../queries/query.ts';
import { alert, type Alert } from './alert.ts';
import { above, recorded } from './recorded.ts';
import { REFUSED_FOR_LOAD, SERVER_FAULTS } from './refusal-codes.ts';
import type { TimeScale } from './time-scale.ts';

const { gauge, counter, histogram } = seriesIn(NO_SCOPE);

export function servingAlerts(scale: TimeScale): readonly Alert[] {
  return [
    exitsOff(),
    savingsNegative(),
    notReady(),
    errorRate(scale),
    latency(scale),
    saturated(scale),
    restarting(scale),
    activationLeak(scale),
  ];
}

function exitsOff(): Alert {
  const stable = aggregate('max', gauge('exitEnabled', { track: 'stable' }), SERVICE);
  return alert({
    name: 'ExitsOff',
    severity: 'warning',
    query: formula`${stable} == 0`,
    summary: 'No exit of {{ $labels.namespace }}/{{ $labels.model }} is on.',
    description:
      'There are stable heads and no pod lets an exit answer: every row runs the whole backbone, and nothing is saved.',
    forMinutes: 30,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

function savingsNegative(): Alert {
  return alert({
    name: 'SavingsNegative',
    severity: 'info',
    query: formula`${recorded('model:layercache_net_saving:ratio6h')} <= 0 and ${recorded('model:layercache_exited_rows:share6h')} > 0`,
    summary: 'Exits of {{ $labels.namespace }}/{{ $labels.model }} cost more than they save.',
    description:
      'Over 6 hours heads, audits and compaction took {{ $value | humanizePercentage }} net of what the backbone alone would have taken: nothing is saved.',
    forMinutes: 30,
    keepFiringMinutes: 10,
    board: 'layercache-service',
  });
}

function notReady(): Alert {
  const pods = sum(gauge('ready'), SERVICE);
  const condition = asServerLabels(
    aggregate('max', gauge('serviceCondition', { condition: 'Ready' }), OBJECT),
  );
  return alert({
    name: 'ServiceNotReady',
    severity: 'critical',
    query: formula`${pods} == 0 or ${condition} == 0`,
    summary: 'Service {{ $labels.namespace }}/{{ $labels.model }} is not ready.',
    description:
      'No pod takes requests, or the operator says Ready=False, for 15 minutes. Requests fail.',
    forMinutes: 15,
    keepFiringMinutes: 2,
    board: 'layercache-service',
  });
}

/** Shares of a handful of requests say nothing. */
const busy = (range: string): Query<Service> =>
  formula`${sum(rate(counter('requests'), range), SERVICE)} > 1`;

function codeShare(codes: readonly string[], range: string): Query<Service> {
  const some = counter('requests', { code: { oneOf: codes } });
  return ratio(sum(rate(some, range), SERVICE), sum(rate(counter('requests'), range), SERVICE));
}

function errorRate(scale: TimeScale): Alert {
  const range = scale.range(5);
  const tooMany = above(codeShare(SERVER_FAULTS, range), 'error_ratio');
  return alert({
    name: 'HighErrorRate',
    severity: 'critical',
    query: { text: `${tooMany.text} and (${busy(range).text})`, labels: SERVICE },
    summary: 'Service {{ $labels.namespace }}/{{ $labels.model }} fails requests.',
    description:
      '{{ $value | humanizePercentage }} of the requests were answered with an error of the server (5xx) in the last 5 minutes.',
    forMinutes: 5,
    keepFiringMinutes: 2,
    board: 'layercache-service',
  });
}

function latency(scale: TimeScale): Alert {
  const range = scale.range(10);
  const p99 = quantile(0.99, histogram('requestDuration'), SERVICE, range);
  const tooSlow = above(p99, 'latency_p99_seconds');
  return alert({
    name: 'LatencyHigh',
    severity: 'warning',
    query: { text: `${tooSlow.text} and (${busy(range).text})`, labels: SERVICE },
    summary: 'Service {{ $labels.namespace }}/{{ $labels.model }} is slow.',
    description:
      'p99 of the last 10 minutes is {{ $value | humanizeDuration }}, above the limit that is set (alerts.thresholds.latency_p99_seconds).',
    forMinutes: 10,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

function saturated(scale: TimeScale): Alert {
  const range = scale.range(10);
  const rows = sum(overTime('avg', gauge('queueRows'), range), SERVICE);
  const capacity = sum(gauge('queueCapacity'), SERVICE);
  const full = formula`${ratio(rows, capacity)} > 0.8`;
  const refused = formula`${codeShare(REFUSED_FOR_LOAD, range)} > 0.01 and ${busy(range)}`;
  return alert({
    name: 'QueueSaturated',
    severity: 'warning',
    query: formula`${full} or ${refused}`,
    summary: 'Service {{ $labels.namespace }}/{{ $labels.model }} is given more than it can do.',
    description:
      'Its queue was more than 80 % full, or more than 1 % of its requests were refused with 429, for 10 minutes. Add pods.',
    forMinutes: 10,
    keepFiringMinutes: 5,
    board: 'layercache-service',
  });
}

function restarting(scale: TimeScale): Alert {
  const restarts = sum(increase(counter('engineRestarts'), scale.range(15)), POD);
  return alert({
    name: 'EngineRestarting',
    severity: 'warning',
    query: formula`${restarts} > 2`,
    summary: 'The engine of {{ $labels.namespace }}/{{ $labels.pod }} ends again and again.',
    description:
      'More than two restarts in 15 minutes. Each fails the requests that it held, and the pod is not ready until it is back.',
    forMinutes: 0,
    keepFiringMinutes: 10,
    board: 'layercache-service',
  });
}

/** Activations that an idle engine does not return are leaked; the least of an hour is what it holds at rest. */
function activationLeak(scale: TimeScale): Alert {
  const { text } = gauge('engineActivations');
  const least = (hoursAgo: number): string => {
    const offset = hoursAgo === 0 ? '' : ` offset ${scale.range(60 * hoursAgo)}`;
    return `max by (namespace, model, pod) (min_over_time(${text}[${scale.range(60)}]${offset}))`;
  };
  const rows = counter('rows').selector;
  const traffic = (offset: string): string =>
    `sum by (namespace, model, pod) (rate(${rows}[${scale.range(60)}]${offset}))`;
  const rises = `(${least(0)} > ${least(2)}) and (${least(2)} > ${least(4)}) and (${least(4)} > ${least(6)})`;
  const isFlat = `${traffic('')} <= 1.2 * ${traffic(` offset ${scale.range(360)}`)}`;
  return alert({
    name: 'ActivationLeak',
    severity: 'warning',
    query: { text: `${rises} and (${isFlat})`, labels: POD },
    summary:
      'The engine of {{ $labels.namespace }}/{{ $labels.pod }} holds more and more activations.',
    description:
      'What it holds at rest has risen for 6 hours while the traffic did not: memory leaks, and the engine will be restarted for it.',
    forMinutes: 30,
    keepFiringMinutes: 30,
    board: 'layercache-service',
  });
}
