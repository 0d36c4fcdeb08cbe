// What the operator of Prometheus makes of its monitors: discovery at the API server, and labels by relabelling. Steps, names and order
// are those of its `pkg/prometheus/promcfg.go`; only fields that the chart sets are known, and any other is refused.

import { metaName, type Role } from './discovered-targets.ts';

interface Endpoint {
  readonly port: string;
  readonly path: string;
  readonly interval: string;
}

export interface Monitor {
  readonly kind: 'PodMonitor' | 'ServiceMonitor';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly namespaceSelector?: {
      readonly any?: boolean;
      readonly matchNames?: readonly string[];
    };
    readonly selector: {
      readonly matchLabels: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
    };
    readonly podMetricsEndpoints?: readonly Endpoint[];
    readonly endpoints?: readonly Endpoint[];
  };
}

/** How a Prometheus outside of the cluster reaches it. */
export interface Access {
  /** Where targets are told, as `discover` finds them. @param namespaces null: all */
  readonly discoveryUrl: (role: Role, namespaces: readonly string[] | null) => string;
  /** Of a proxy through which pods are asked. */
  readonly proxyUrl: string;
}

interface Relabelling {
  readonly action?: 'keep' | 'drop';
  readonly source_labels?: readonly string[];
  readonly separator?: string;
  readonly regex?: string;
  readonly replacement?: string;
  readonly target_label?: string;
}

/** Real discovery watches. */
const REFRESH = '1s';

const KNOWN = ['namespaceSelector', 'selector', 'podMetricsEndpoints', 'endpoints'];
const KNOWN_OF_ENDPOINTS = ['port', 'path', 'interval'];
const KNOWN_OF_SELECTORS = ['matchLabels', 'matchExpressions'];
const KNOWN_OPERATORS = ['Exists'];

/** Scrape configurations, one for each endpoint of a monitor. Throws where a monitor says more than is known here. */
export function scrapesOf(monitor: Monitor, access: Access): readonly object[] {
  const { kind, metadata, spec } = monitor;
  const endpoints = spec.podMetricsEndpoints ?? spec.endpoints ?? [];
  expectOnly(monitor, spec, KNOWN);
  expectOnly(monitor, spec.selector, KNOWN_OF_SELECTORS);
  for (const { operator } of spec.selector.matchExpressions ?? []) {
    expectOnly(monitor, { [operator]: true }, KNOWN_OPERATORS);
  }
  return endpoints.map((endpoint, i) => {
    expectOnly(monitor, endpoint, KNOWN_OF_ENDPOINTS);
    const prefix = kind === 'PodMonitor' ? 'podMonitor' : 'serviceMonitor';
    return {
      job_name: `${prefix}/${metadata.namespace}/${metadata.name}/${i}`,
      honor_labels: false,
      http_sd_configs: [
        {
          url: access.discoveryUrl(
            kind === 'PodMonitor' ? 'pod' : 'endpointslice',
            namespacesOf(monitor),
          ),
          refresh_interval: REFRESH,
        },
      ],
      scrape_interval: endpoint.interval,
      metrics_path: endpoint.path,
      proxy_url: access.proxyUrl,
      relabel_configs:
        kind === 'PodMonitor' ? podLabels(monitor, endpoint) : serviceLabels(monitor, endpoint),
    };
  });
}

function expectOnly({ kind, metadata }: Monitor, value: object, known: readonly string[]): void {
  const other = Object.keys(value).find((key) => !known.includes(key));
  if (other !== undefined) {
    throw new Error(`${kind} ${metadata.name} has the field ${other}, which is not known here.`);
  }
}

/** Without a selector its own; with `any` all, which is null. */
function namespacesOf({
  metadata,
  spec: { namespaceSelector },
}: Monitor): readonly string[] | null {
  if (namespaceSelector?.any === true) return null;
  return namespaceSelector?.matchNames ?? [metadata.namespace];
}

const META = '__meta_kubernetes';

function selected(
  of: 'pod' | 'service',
  { matchLabels, matchExpressions = [] }: Monitor['spec']['selector'],
): readonly Relabelling[] {
  const equal = Object.entries(matchLabels).map(([key, value]) => {
    const label = metaName(key);
    const source_labels = [`${META}_${of}_label_${label}`, `${META}_${of}_labelpresent_${label}`];
    return { action: 'keep', source_labels, regex: `(${value});true` } as const;
  });
  const present = matchExpressions.map(({ key }) => {
    const source_labels = [`${META}_${of}_labelpresent_${metaName(key)}`];
    return { action: 'keep', source_labels, regex: 'true' } as const;
  });
  return [...equal, ...present];
}

const named = (target_label: string, source: string): Relabelling => ({
  source_labels: [`${META}_${source}`],
  target_label,
});
const alive: Relabelling = {
  action: 'drop',
  source_labels: [`${META}_pod_phase`],
  regex: '(Failed|Succeeded)',
};
const ofPort = (source: string, { port }: Endpoint): Relabelling => ({
  action: 'keep',
  source_labels: [`${META}_${source}_port_name`],
  regex: port,
});

function podLabels({ metadata, spec }: Monitor, endpoint: Endpoint): readonly Relabelling[] {
  return [
    alive,
    ...selected('pod', spec.selector),
    ofPort('pod_container', endpoint),
    named('namespace', 'namespace'),
    named('container', 'pod_container_name'),
    named('pod', 'pod_name'),
    { target_label: 'job', replacement: `${metadata.namespace}/${metadata.name}` },
    { target_label: 'endpoint', replacement: endpoint.port },
  ];
}

function serviceLabels({ spec }: Monitor, endpoint: Endpoint): readonly Relabelling[] {
  const target = `${META}_endpointslice_address_target`;
  return [
    ...selected('service', spec.selector),
    ofPort('endpointslice', endpoint),
    {
      source_labels: [`${target}_kind`, `${target}_name`],
      separator: ';',
      regex: 'Pod;(.*)',
      target_label: 'pod',
    },
    named('namespace', 'namespace'),
    named('service', 'service_name'),
    named('pod', 'pod_name'),
    named('container', 'pod_container_name'),
    alive,
    named('job', 'service_name'),
    { target_label: 'endpoint', replacement: endpoint.port },
  ];
}
