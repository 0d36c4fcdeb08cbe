export type Component = 'server' | 'trainer';

const SERVICE_LABEL = 'layercache.io/service';
const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** What a pod must keep to be one of ours. */
export const SELECTOR_LABELS = [SERVICE_LABEL, COMPONENT_LABEL] as const;

/** The selector of Deployment, Service, budget and network policy; it can never change. */
export function selectorLabels(service: string, component: Component): Record<string, string> {
  return { [SERVICE_LABEL]: service, [COMPONENT_LABEL]: component };
}

/** The same as text, for `status.selector`. */
export function selectorText(service: string): string {
  return Object.entries(selectorLabels(service, 'server'))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** Labels of every child. */
export function childLabels(service: string, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'layercache-server',
    'app.kubernetes.io/instance': service,
    'app.kubernetes.io/managed-by': 'layercache-operator',
    ...selectorLabels(service, component),
  };
}

/** Label of a ConfigMap: what it holds. */
export function roleLabel(role: 'policy' | 'ledger' | 'head'): Record<string, string> {
  return { 'layercache.io/role': role };
}
