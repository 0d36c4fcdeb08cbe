// The monitors of the chart, as a Prometheus reads them through its operator, against pods as chart and operator make them.
import { Agent } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { planDeployment } from '../../operator/plan/deployment.ts';
import { NAMESPACE, renderObjects, type ChartObject } from '../unit/charts/helm.ts';
import { MONITORING } from '../unit/charts/scenarios.ts';
import { aServiceToPlan, DEFAULTS } from '../unit/operator/plan/builders.ts';
import { scrapesOf, type Monitor } from './monitor-scrapes.ts';
import { prometheusMissing } from './prometheus.ts';
import { watchRelease, type Cluster } from './prometheus-on-node.ts';
import { servePage } from './metric-page-server.ts';

interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly name: string; ports?: object[] }[] };
}

/** A pod that answers on a port of this machine. */
function podOf(name: string, namespace: string, port: number, { metadata, spec }: Template) {
  const containers = spec.containers.map((container) => ({
    ...container,
    // The port for metrics is the test's own; the others stay what they are.
    ports: (container.ports ?? []).map((one) =>
      (one as { name: string }).name === 'metrics' ? { ...one, containerPort: port } : one,
    ),
  }));
  return {
    metadata: { ...metadata, name, namespace },
    spec: { containers },
    status: { phase: 'Running', podIP: '127.0.0.1' },
  };
}

/** An API server that has these objects, and monitors of the kinds that the chart made. */
function clusterOf(objects: readonly ChartObject[], pods: readonly object[]): Cluster {
  const ofKind = (kind: string) => ({
    kind: `${kind}List`,
    items: objects.filter((one) => one.kind === kind),
  });
  const service = objects.find(({ kind }) => kind === 'Service');
  const slices = service === undefined ? [] : [sliceOf(service, pods[0] as never)];
  const known: Readonly<Record<string, object>> = {
    podmonitors: ofKind('PodMonitor'),
    servicemonitors: ofKind('ServiceMonitor'),
    prometheusrules: ofKind('PrometheusRule'),
    pods: { items: pods },
    services: ofKind('Service'),
    endpointslices: { items: slices },
  };
  return {
    request: ({ path }) =>
      Promise.resolve({ status: 200, body: known[path.slice(path.lastIndexOf('/') + 1)] }),
    agent: () => new Agent(),
  };
}

function sliceOf({ metadata }: ChartObject, pod: ReturnType<typeof podOf>): object {
  const ports = pod.spec.containers.flatMap((container) => container.ports);
  const { containerPort } = ports[0] as { containerPort: number };
  return {
    metadata: {
      ...{ name: 'slice', namespace: metadata.namespace },
      labels: { 'kubernetes.io/service-name': metadata.name },
    },
    ports: [{ name: 'metrics', port: containerPort }],
    endpoints: [{ addresses: ['127.0.0.1'], targetRef: { kind: 'Pod', name: pod.metadata.name } }],
  };
}

describe.skipIf(prometheusMissing !== null)('a Prometheus that follows the monitors', () => {
  test.each([
    ['podMonitor', `${NAMESPACE}/demo-layercache-operator`],
    ['serviceMonitor', 'demo-layercache-operator-metrics'],
  ])('by %s scrapes operators and model pods, and no trainer', async (kind, operatorJob) => {
    const values = { metrics: { [kind]: { enabled: true, interval: '1s' } } };
    const objects = await renderObjects({ values, apiVersions: MONITORING });
    const page = await servePage(() => 'a_page 1\n');
    onTestFinished(() => page.close());
    const plan = planDeployment({
      ...{ service: aServiceToPlan(), defaults: DEFAULTS, live: null, adminGeneration: 1 },
    });
    if (!plan.ok) throw new Error(JSON.stringify(plan.problems));
    const template = (deployment: unknown): Template =>
      (deployment as { spec: { template: Template } }).spec.template;
    const ofServer = template(plan.deployment);
    const operator = template(objects.find(({ kind: made }) => made === 'Deployment'));
    const component = 'app.kubernetes.io/component';
    const labels = { ...ofServer.metadata.labels, [component]: 'trainer' };
    const pods = [
      podOf('operator-0', NAMESPACE, page.port, operator),
      podOf('vision-0', 'shop', page.port, ofServer),
      podOf('vision-trainer', 'shop', page.port, { ...ofServer, metadata: { labels } }),
    ];
    const prometheus = await watchRelease(clusterOf(objects, pods), NAMESPACE);
    onTestFinished(() => prometheus.close());
    await prometheus.sees('count(a_page) == 2');
    const found = await prometheus.at('a_page', Date.now() / 1000);
    const named = found.map(({ metric: { job, namespace, pod, container } }) =>
      [job, namespace, pod, container].join(' '),
    );
    expect([...named].sort()).toEqual(
      [
        `${operatorJob} ${NAMESPACE} operator-0 operator`,
        `${NAMESPACE}/demo-layercache-models shop vision-0 server`,
      ].sort(),
    );
  });

  test('a monitor that says more than is known here is refused', () => {
    const monitor = {
      kind: 'PodMonitor',
      metadata: { name: 'odd', namespace: 'shop' },
      spec: { selector: { matchLabels: {} }, sampleLimit: 3 },
    } as Monitor;
    const access = { discoveryUrl: () => '', proxyUrl: '' };
    expect(() => scrapesOf(monitor, access)).toThrow('sampleLimit');
  });
});
