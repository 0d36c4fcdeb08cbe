import { z } from 'zod';
import * as f from './fields.ts';

/** `--set` hands on 0.5 as a text. */
const NUMBER = /^-?[0-9]{1,15}(\.[0-9]{1,9})?$/;

/** Values about metrics, dashboards and alerts; all off by default, since the kinds that they need may be absent. */

const monitor = (description: string) =>
  f.block(description, {
    enabled: f.toggle('Makes it, where the cluster knows the kind.', false),
    labels: f.labels('Labels that your Prometheus selects by.'),
    interval: f.duration('Time between scrapes.', '30s'),
  });

export const monitoringValues = {
  metrics: f.block('Metrics.', {
    port: f.whole('Port of the operator for metrics and probes.', {
      min: 1024,
      max: 65_535,
      standard: 9090,
    }),
    perService: f.choice(
      'What the operator shows of each service: all, its information and conditions, nothing. Servers show theirs either way.',
      ['Full', 'Conditions', 'Off'],
      'Full',
    ),
    annotations: f.toggle(
      'prometheus.io/* on the operator pods, where no monitor is made for them.',
      true,
    ),
    podMonitor: monitor('PodMonitors for the operator and for all model pods.'),
    serviceMonitor: monitor(
      'ServiceMonitor for the operator, PodMonitor for all model pods; not together with podMonitor.',
    ),
  }),
  dashboards: f.block('Grafana dashboards as ConfigMaps.', {
    enabled: f.toggle('Makes them.', false),
    namespace: f.name('Where; empty: that of the release.'),
    labels: f.labels('Labels that the sidecar of Grafana selects by.', { grafana_dashboard: '1' }),
    folder: f.text('Folder in Grafana.', 'Layercache'),
    grafanaOperator: f.block('GrafanaDashboard objects for the Grafana operator.', {
      enabled: f.toggle('Makes them, where the cluster knows the kind.', false),
      instanceSelector: f.labels(
        'Labels of the Grafana that shows them; its operator refuses a change, so delete the GrafanaDashboards first.',
        {
          dashboards: 'grafana',
        },
      ),
    }),
  }),
  alerts: f.block('Alerts and recording rules as a PrometheusRule.', {
    enabled: f.toggle('Makes it, where the cluster knows the kind.', false),
    labels: f.labels('Labels of the PrometheusRule that your Prometheus selects by.'),
    alertLabels: f.labels('Labels of every alert, for example for routing.'),
    runbookBaseUrl: f.text(
      'Address below which your people read the runbooks of this chart; the name of the file is added. Empty: alerts name the file in the sources of the chart.',
    ),
    dashboardBaseUrl: f.text(
      'Address of your Grafana; the path of the board is added. Empty: alerts name the path alone.',
    ),
    disabled: f.switches(
      'Alerts to leave out, `{LayercacheExitsOff: true}`.',
      /^[A-Z][A-Za-z0-9]{0,62}$/,
    ),
    thresholds: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
        z.union([z.number(), z.string().regex(NUMBER)]),
      )
      .default({})
      .meta({
        description: 'Instead of the value of recording rule `layercache:threshold:<name>`.',
      }),
  }),
};
