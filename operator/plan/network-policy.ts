import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from 'kubernetes-types/networking/v1.js';

import type { Installation, ServiceDefaults } from './defaults.ts';
import { selectorLabels } from './labels.ts';
import { childMetadata } from './owner.ts';
import type { ServiceToPlan } from './service.ts';

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export interface NetworkPolicyInput {
  readonly service: ServiceToPlan;
  readonly defaults: Pick<ServiceDefaults, 'networkPolicy'>;
  readonly installation: Installation;
}

/**
 * Who may reach the pods, and whom they may: data from the named peers, admin from operator and trainer alone, metrics
 * from Prometheus. Probes come from the node, which no policy holds back. Null when it is not wanted.
 */
export function planNetworkPolicy(input: NetworkPolicyInput): NetworkPolicy | null {
  const { service, defaults } = input;
  const { mode, egress } = service.spec.networkPolicy;
  if ((mode ?? defaults.networkPolicy) === 'Disabled') return null;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMetadata(service, service.name),
    spec: {
      podSelector: { matchLabels: selectorLabels(service.name, 'server') },
      policyTypes: ['Ingress', 'Egress'],
      ingress: ingressRules(input),
      // Raw in our schema; the API server checks it.
      egress: (egress as NetworkPolicyEgressRule[] | undefined) ?? DEFAULT_EGRESS,
    },
  };
}

function ingressRules({ service, installation }: NetworkPolicyInput): NetworkPolicyIngressRule[] {
  const { from } = service.spec.networkPolicy;
  const { namespace, operatorLabels, monitoringNamespace } = installation;
  const operator: NetworkPolicyPeer = {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } },
    podSelector: { matchLabels: { ...operatorLabels } },
  };
  const trainer: NetworkPolicyPeer = {
    podSelector: { matchLabels: selectorLabels(service.name, 'trainer') },
  };
  const prometheus: NetworkPolicyPeer = {
    namespaceSelector:
      monitoringNamespace === null
        ? {}
        : { matchLabels: { [NAMESPACE_NAME]: monitoringNamespace } },
  };
  // Raw in our schema; the API server checks them.
  const clients = from as NetworkPolicyPeer[] | undefined;
  return [
    { ports: [tcp('http')], ...(clients === undefined ? {} : { from: clients }) },
    { ports: [tcp('admin')], from: [operator, trainer] },
    { ports: [tcp('metrics')], from: [prometheus] },
  ];
}

function tcp(port: string | number): NetworkPolicyPort {
  return { protocol: 'TCP', port };
}

/** Names, and the ports of model and head stores. */
const DEFAULT_EGRESS: NetworkPolicyEgressRule[] = [
  { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] },
  { ports: [tcp(80), tcp(443)] },
];
