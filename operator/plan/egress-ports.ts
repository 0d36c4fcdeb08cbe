import type { ServiceDefaults } from './defaults.ts';
import { listAt, textAt } from './json-object.ts';
import type { ServiceToPlan } from './service.ts';

/** Where model and head stores listen that name no port. */
const STANDARD_PORTS = [80, 443];
const LAST_PORT = 65_535;
const PORT_OF_ADDRESS = /^[a-z0-9+.-]+:\/\/[^/?#]*:(\d{1,5})(?:[/?#]|$)/i;
const PORT_OF_HOST = /:(\d{1,5})$/;

/**
 * TCP ports that pods and trainer of a service fetch from, ascending: 80 and 443, and those that its models, stores and proxy name, and
 * hosts that the chart allows. What stands in a Secret is not known here.
 */
export function egressPorts(
  { spec }: ServiceToPlan,
  { template }: Pick<ServiceDefaults, 'template'>,
): number[] {
  const oci = spec.heads.store?.oci;
  const addresses = [
    spec.backbone.uri,
    ...(spec.exits ?? []).map(({ model }) => model?.uri),
    ...(oci === undefined ? [] : [`oci://${oci.repository}`]),
    template.store?.uri,
    ...proxiesOf(spec.podTemplate),
    ...proxiesOf(spec.heads.training.podTemplate),
  ];
  const ports = [
    ...addresses.map((address) => PORT_OF_ADDRESS.exec(address ?? '')?.[1]),
    ...template.allowedHosts.map((host) => PORT_OF_HOST.exec(host)?.[1]),
  ]
    .map(Number)
    .filter((port) => port >= 1 && port <= LAST_PORT);
  return [...new Set([...STANDARD_PORTS, ...ports])].sort((a, b) => a - b);
}

/** Proxies that a raw template gives as they are, under both names that pods read. */
function proxiesOf(podTemplate: unknown): string[] {
  return listAt(podTemplate, 'spec', 'containers')
    .flatMap((container) => listAt(container, 'env'))
    .filter((variable) => /^https_proxy$/i.test(textAt(variable, 'name') ?? ''))
    .map((variable) => textAt(variable, 'value') ?? '');
}
