import { finding, ok, unknown, type Finding } from './finding.ts';

export interface MonitoringFacts {
  /** Whether the API server serves monitoring.coreos.com. */
  readonly isServed: boolean;
  /** PodMonitors of the chart; null: this user may not list them. */
  readonly podMonitors: number | null;
  /** PrometheusRules of the chart. */
  readonly rules: number | null;
}

const SWITCHES = 'Upgrade the chart with metrics.podMonitor.enabled=true and alerts.enabled=true.';

/** Whether somebody scrapes and is alerted. Without the Prometheus operator, annotations tell other scrapers. */
export function checkMonitoring({
  isServed,
  podMonitors,
  rules,
}: MonitoringFacts): readonly Finding[] {
  if (!isServed) {
    return [
      unknown(
        'Monitoring',
        'the Prometheus operator is not installed; pods carry annotations for other scrapers',
        '`layercache export alerts DIR` and `layercache export dashboards DIR` give files for them.',
      ),
    ];
  }
  if (podMonitors === null || rules === null) {
    return [unknown('Monitoring', 'this user may not list PodMonitors and PrometheusRules')];
  }
  return [
    podMonitors > 0
      ? ok('Monitoring', 'a PodMonitor selects the model pods')
      : finding('Monitoring', 'no PodMonitor of the chart selects the model pods', SWITCHES),
    rules > 0
      ? ok('Monitoring', 'alert rules are installed')
      : finding('Monitoring', 'no alert rules of the chart are installed', SWITCHES),
  ];
}
