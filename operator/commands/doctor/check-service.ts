import { SHADOW_ROWS_PER_SECOND } from '../../lifecycle/audit-rate.ts';
import type { Ledger } from '../../lifecycle/ledger.ts';
import { countText, percentText, rateText, spanText } from '../output/words.ts';
import { conditionOf, type ServiceView } from '../service/service-view.ts';
import { finding, ok, unknown, type Finding } from './finding.ts';

/** A first certificate that takes longer is a sign that budget and traffic do not fit. */
const LONG_SECONDS = 86_400;

/** What is wrong with one service: endpoint, engine, policy, and whether its traffic can ever prove its budget. */
export function checkService(service: ServiceView, ledger: Ledger | null): readonly Finding[] {
  const key = `${service.namespace}/${service.name}`;
  const { conditions, backbone } = service.status;
  if (conditions === undefined || conditions.length === 0) {
    return [
      finding(
        'Service',
        `${key}: no operator has reported on it`,
        'Does the operator watch this namespace (watchNamespaces)?',
      ),
    ];
  }
  const troubles = ['Ready', 'PolicyApplied'].flatMap((type) => {
    const condition = conditionOf(conditions, type);
    return condition?.status === 'False' || (type === 'Ready' && condition?.status === 'Unknown')
      ? [
          finding(
            'Service',
            `${key}: ${type} is ${condition.status} (${condition.reason}): ${condition.message}`,
            `layercache explain ${condition.reason}`,
          ),
        ]
      : [];
  });
  const engine =
    backbone?.engine === undefined
      ? []
      : [
          ok(
            'Service',
            `${key}: engine ${backbone.engine} on ${backbone.device ?? 'an unknown device'}`,
          ),
        ];
  return [
    ...troubles,
    ...engine,
    ...checkTraffic(key, service, ledger),
    ...checkAlerts(key, service, ledger),
  ];
}

/** Audited answers of exits that an alert on the budget wants in its window (operations.md 4). */
const ALERT_ROWS = 30;
const UNMEASURED_HOURS = 6;

/** Whether alerts on the budget can see anything: without enough audits of early answers they stay quiet, whatever happens. */
function checkAlerts(
  key: string,
  { status }: ServiceView,
  ledger: Ledger | null,
): readonly Finding[] {
  const share = Number.parseFloat(status.accuracy?.exitedShare ?? '') / 100;
  const perHour = auditsPerHour(ledger) * share;
  // No early answers, or nothing measured.
  if (!(perHour > 0)) return [];
  const text = `${key}: about ${countText(Math.floor(perHour))} audited early answers an hour`;
  if (perHour * UNMEASURED_HOURS < ALERT_ROWS) {
    return [
      finding(
        'Service',
        `${text}: alerts want ${ALERT_ROWS} in ${UNMEASURED_HOURS} h at least to tell whether it keeps its budget`,
        'Raise accuracy.auditRate, or send more traffic.',
      ),
    ];
  }
  return [
    ok(
      'Service',
      perHour < ALERT_ROWS
        ? `${text}: too few for the alert that looks at one hour, enough for those at six hours and three days`
        : `${text}: enough for every alert on its budget`,
    ),
  ];
}

/** NaN before the operator has measured the traffic. */
function auditsPerHour(ledger: Ledger | null): number {
  if (ledger === null) return NaN;
  const { rowsPerSecond, auditRate } = ledger.traffic;
  return (rowsPerSecond ?? NaN) * auditRate * 3600;
}

/** Rows of the first look against the rows that come. */
function checkTraffic(
  key: string,
  { settings }: ServiceView,
  ledger: Ledger | null,
): readonly Finding[] {
  if (settings === null || settings.budget === 0 || settings.exitMode !== 'Active') return [];
  const rate = ledger?.traffic.rowsPerSecond ?? null;
  if (rate === null)
    return [unknown('Service', `${key}: the operator has not measured its traffic yet`)];
  const { minAudits, budget } = settings;
  const wanted = `a budget of ${percentText(budget)} takes ${countText(minAudits)} audited rows for a first certificate`;
  const seconds = minAudits / Math.min(rate, SHADOW_ROWS_PER_SECOND);
  if (rate <= 0 || seconds > LONG_SECONDS) {
    const time =
      rate <= 0
        ? 'no rows arrive'
        : `at ${rateText(rate)} rows a second that is ${spanText(seconds)}`;
    return [
      finding(
        'Service',
        `${key}: ${wanted}; ${time}`,
        'Send more traffic, or set a larger accuracy.maxDisagreement.',
      ),
    ];
  }
  return [
    ok('Service', `${key}: ${wanted}, ${spanText(seconds)} at ${rateText(rate)} rows a second`),
  ];
}
