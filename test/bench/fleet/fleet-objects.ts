import { FAKE_NODE } from '../../cluster/harness/part-arguments.ts';
import { BACKBONE_DIGEST } from '../../support/builders.ts';
import { CLASS_COUNT, FLEET_EXITS } from './simulated-heads.ts';

export interface FleetSize {
  readonly services: number;
  /** Of each service. */
  readonly pods: number;
}

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
}

const PODS_PER_NODE = 500;
const SERVICES_PER_NAMESPACE = 100;

export function fleetServices({ services }: FleetSize): ServiceRef[] {
  return Array.from({ length: services }, (_, i) => ({
    namespace: `fleet-${Math.floor(i / SERVICES_PER_NAMESPACE)}`,
    name: `s-${i}`,
  }));
}

export function namespacesOf(services: readonly ServiceRef[]): string[] {
  return [...new Set(services.map(({ namespace }) => namespace))];
}

/**
 * Nodes that kwok plays. Their pods get addresses of 127.0.0.0/8: all of it is this machine, so each pod can listen on its own
 * address at the port that the operator dials, and nothing of it is seen outside.
 * @param firstNetwork the second number of the first node's addresses: two fleets of one machine need different ones.
 */
export function fleetNodes({ services, pods }: FleetSize, firstNetwork: number): object[] {
  const count = Math.max(1, Math.ceil((services * pods) / PODS_PER_NODE));
  const resources = { cpu: '4096', memory: '16Ti', pods: String(4 * PODS_PER_NODE) };
  return Array.from({ length: count }, (_, index) => {
    const podCIDR = `127.${firstNetwork + index}.0.0/16`;
    return {
      ...{ apiVersion: 'v1', kind: 'Node' },
      metadata: {
        name: `fleet-${index}`,
        annotations: { [FAKE_NODE.annotation]: FAKE_NODE.value },
        labels: { 'kubernetes.io/hostname': `fleet-${index}` },
      },
      spec: { podCIDR, podCIDRs: [podCIDR] },
      status: { allocatable: resources, capacity: resources },
    };
  });
}

/** A service whose backbone nobody fetches: its pods are simulated. */
export function fleetService({ namespace, name }: ServiceRef, pods: number): object {
  return {
    ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CachedModelService' },
    metadata: { name, namespace },
    spec: {
      replicas: pods,
      modelName: name,
      backbone: { uri: 'https://models.example.com/m.onnx' },
      accuracy: { maxDisagreement: '1%' },
      exits: FLEET_EXITS,
      // Everything of a rollout but the waits for a person to look.
      rollout: { steps: [{ share: '100%', hold: '0s' }], minRequests: 0 },
      pod: { resources: { requests: { cpu: '10m', memory: '16Mi' } } },
    },
  };
}

/** Own heads of one service, as a person brings them (api.md 3): the file, and the revision that names it. */
export function fleetHeads(
  { namespace, name }: ServiceRef,
  {
    mark,
    bytes,
    digest,
  }: { readonly mark: number; readonly bytes: Uint8Array; readonly digest: string },
): { readonly revision: string; readonly configMap: object; readonly headRevision: object } {
  const revision = `${name}-own-${mark}`;
  const metadata = { name: revision, namespace };
  return {
    revision,
    configMap: {
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata },
      binaryData: { bundle: Buffer.from(bytes).toString('base64') },
    },
    headRevision: {
      ...{ apiVersion: 'layercache.io/v1alpha1', kind: 'CacheHeadRevision', metadata },
      spec: {
        serviceName: name,
        backboneDigest: BACKBONE_DIGEST,
        bundle: { digest, sizeBytes: bytes.byteLength, configMapName: revision },
        exits: FLEET_EXITS.map((exit) => ({ ...exit, pool: 1, hidden: 0 })),
        classCount: CLASS_COUNT,
      },
    },
  };
}
