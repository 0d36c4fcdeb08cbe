import { accuracyAlerts } from './accuracy-alerts.ts';
import type { Alert, Board } from './alert.ts';
import { operatorAlerts } from './operator-alerts.ts';
import { recordingRules, type RecordingRule } from './recorded.ts';
import { servingAlerts } from './serving-alerts.ts';
import { timeScale, type TimeScale } from './time-scale.ts';

/** Where runbooks lie in the chart: an address of them is known to who installs it, as the value `alerts.runbookBaseUrl`. */
const RUNBOOK_FOLDER = 'runbooks';

export interface AlertGroup {
  readonly title: string;
  readonly alerts: readonly Alert[];
}

/** Alerts by topic. */
export function alertGroups(scale: TimeScale): readonly AlertGroup[] {
  return [
    { title: 'Accuracy', alerts: accuracyAlerts(scale) },
    { title: 'Serving', alerts: servingAlerts(scale) },
    { title: 'Operator and rollouts', alerts: operatorAlerts(scale) },
  ];
}

/** One alerting rule as Prometheus reads it. */
interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly keep_firing_for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<
    Record<'summary' | 'description' | 'runbook_url' | 'dashboard_url', string>
  >;
}

export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly interval: string;
    readonly rules: readonly (RecordingRule | AlertingRule)[];
  }[];
}

/** Rules of the chart; with shorter minutes the same ones for a test. */
export function ruleFile(minuteSeconds = 60): RuleFile {
  const scale = timeScale(minuteSeconds);
  const interval = scale.range(1);
  return {
    groups: [
      // Sums over minutes rest on one value for each: the interval is part of the rules.
      { name: 'layercache-recording', interval, rules: recordingRules(scale) },
      ...alertGroups(scale).map(({ title, alerts }) => ({
        name: `layercache-${title.toLowerCase().replaceAll(' ', '-')}`,
        interval,
        rules: alerts.map((alert) => alertingRule(alert, scale)),
      })),
    ],
  };
}

export function alertName({ name }: Pick<Alert, 'name'>): string {
  return `Layercache${name}`;
}

function alertingRule(alert: Alert, scale: TimeScale): AlertingRule {
  const { keepFiringMinutes } = alert;
  return {
    alert: alertName(alert),
    expr: alert.expr,
    for: scale.range(alert.forMinutes),
    ...(keepFiringMinutes === 0 ? {} : { keep_firing_for: scale.range(keepFiringMinutes) }),
    labels: { severity: alert.severity },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      runbook_url: `${RUNBOOK_FOLDER}/${alertName(alert)}.md`,
      dashboard_url: dashboardPath(alert),
    },
  };
}

/** Of the board that shows most, narrowed to what the alert is about; below the address of Grafana, `alerts.dashboardBaseUrl`. */
function dashboardPath({ board, labels }: Alert): string {
  const query = VARIABLES.filter(({ label }) => labels.includes(label))
    .map(({ name, label }) => `var-${name}={{ $labels.${label} }}`)
    .join('&');
  return `/d/${board satisfies Board}${query === '' ? '' : `?${query}`}`;
}

const VARIABLES = [
  { name: 'namespace', label: 'namespace' },
  { name: 'namespace', label: 'model_namespace' },
  { name: 'model', label: 'model' },
  { name: 'pod', label: 'pod' },
] as const;
