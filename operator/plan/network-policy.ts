import type {
  NetworkPolicy,
  NetworkPolicyEgressRule,
  NetworkPolicyIngressRule,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from 'kubernetes-types/networking/v1.js';

import type { Installation, ServiceDefaults } from './defaults.ts';
import { egressPorts } from './egress-ports.ts';
import { selectorLabels, type Component } from './labels.ts';
import { trainerPolicyName } from './names.ts';
import { childMetadata } from './owner.ts';
import { mayTrain, type ServiceToPlan } from './service.ts';

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export interface NetworkPolicyInput {
  readonly service: ServiceToPlan;
  readonly defaults: Pick<ServiceDefaults, 'networkPolicy' | 'template'>;
  readonly installation: Installation;
}

/**
 * Who may reach pods and trainer, and whom they may. Pods: data from the named peers, admin from operator and trainer alone, metrics
 * from Prometheus. Trainer: its port from the operator alone; it asks the pods for samples. Both reach names and stores. Probes come from
 * the node, which no policy holds back. Empty when none is wanted.
 */
export function planNetworkPolicies(input: NetworkPolicyInput): NetworkPolicy[] {
  const { service, defaults } = input;
  if ((service.spec.networkPolicy.mode ?? defaults.networkPolicy) === 'Disabled') return [];
  const stores = storeRules(input);
  const pods = policy(service, 'server', { ingress: podIngress(input), egress: stores });
  const samples = { ports: [tcp('admin')], to: [peer(service, 'server')] };
  const ingress = [{ ports: [tcp('admin')], from: [operatorPeer(input.installation)] }];
  return mayTrain(service)
    ? [pods, policy(service, 'trainer', { ingress, egress: [samples, ...stores] })]
    : [pods];
}

function policy(
  service: ServiceToPlan,
  component: Component,
  rules: Pick<NetworkPolicySpec, 'ingress' | 'egress'>,
): NetworkPolicy {
  const name = component === 'server' ? service.name : trainerPolicyName(service.name);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMetadata(service, name, component),
    spec: {
      podSelector: { matchLabels: selectorLabels(service.name, component) },
      policyTypes: ['Ingress', 'Egress'],
      ...rules,
    },
  };
}

function podIngress({ service, installation }: NetworkPolicyInput): NetworkPolicyIngressRule[] {
  const { monitoringNamespace } = installation;
  const prometheus: NetworkPolicyPeer = {
    namespaceSelector:
      monitoringNamespace === null
        ? {}
        : { matchLabels: { [NAMESPACE_NAME]: monitoringNamespace } },
  };
  // Raw in our schema; the API server checks them.
  const clients = service.spec.networkPolicy.from as NetworkPolicyPeer[] | undefined;
  return [
    { ports: [tcp('http')], ...(clients === undefined ? {} : { from: clients }) },
    { ports: [tcp('admin')], from: [operatorPeer(installation), peer(service, 'trainer')] },
    { ports: [tcp('metrics')], from: [prometheus] },
  ];
}

function operatorPeer({ namespace, operatorLabels }: Installation): NetworkPolicyPeer {
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } },
    podSelector: { matchLabels: { ...operatorLabels } },
  };
}

function peer(service: ServiceToPlan, component: Component): NetworkPolicyPeer {
  return { podSelector: { matchLabels: selectorLabels(service.name, component) } };
}

/** Names, and the ports of model and head stores, unless the spec says otherwise. */
function storeRules({ service, defaults }: NetworkPolicyInput): NetworkPolicyEgressRule[] {
  // Raw in our schema; the API server checks it.
  const written = service.spec.networkPolicy.egress as NetworkPolicyEgressRule[] | undefined;
  return (
    written ?? [
      { ports: [{ protocol: 'UDP', port: 53 }, tcp(53)] },
      { ports: egressPorts(service, defaults).map(tcp) },
    ]
  );
}

function tcp(port: string | number): NetworkPolicyPort {
  return { protocol: 'TCP', port };
}
