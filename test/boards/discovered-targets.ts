// Targets as Prometheus' own discovery of Kubernetes describes them (roles `pod` and `endpointslice` of its documentation), from the
// objects of the API server: Debian builds Prometheus without that discovery.
import type { RealNode } from '../support/real-node.ts';

/** What lists objects. */
export type Lister = Pick<RealNode, 'request'>;

interface Named {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

interface Port {
  readonly name?: string;
  readonly containerPort: number;
}

interface Pod extends Named {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly ports?: readonly Port[] }[];
  };
  readonly status: { readonly phase: string; readonly podIP?: string };
}

interface Slice extends Named {
  readonly ports?: readonly { readonly name: string; readonly port: number }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly targetRef?: { readonly kind: string; readonly name: string };
  }[];
}

type Labels = Readonly<Record<string, string>>;

/** One target as `http_sd_configs` reads it. */
interface Discovered {
  readonly targets: readonly [string];
  readonly labels: Labels;
}

export type Role = 'pod' | 'endpointslice';

const META = '__meta_kubernetes';
const SERVICE_OF_SLICE = 'kubernetes.io/service-name';

/** Label names as relabelling knows them. */
export function metaName(key: string): string {
  return key.replace(/[^a-zA-Z0-9_]/g, '_');
}

/** @param namespaces null: all */
export async function discover(
  node: Lister,
  role: Role,
  namespaces: readonly string[] | null,
): Promise<readonly Discovered[]> {
  const list = <T extends Named>(group: string, plural: string): Promise<readonly T[]> =>
    listOf<T>(node, { group, plural }, namespaces);
  const pods = await list<Pod>('/api/v1', 'pods');
  if (role === 'pod') return pods.flatMap((pod) => targetsOfPod(pod));
  const services = await list('/api/v1', 'services');
  const slices = await list<Slice>('/apis/discovery.k8s.io/v1', 'endpointslices');
  return slices.flatMap((slice) => targetsOfSlice(slice, services, pods));
}

async function listOf<T extends Named>(
  node: Lister,
  { group, plural }: { readonly group: string; readonly plural: string },
  namespaces: readonly string[] | null,
): Promise<readonly T[]> {
  const { status, body } = await node.request({ path: `${group}/${plural}` });
  if (status !== 200) throw new Error(`${plural} cannot be listed: ${JSON.stringify(body)}`);
  const { items } = body as { items: T[] };
  return items.filter(({ metadata }) => namespaces?.includes(metadata.namespace) ?? true);
}

function labelsOf(what: 'pod' | 'service', { metadata }: Named): Labels {
  const entries = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => [
    [`${META}_${what}_label_${metaName(key)}`, value],
    [`${META}_${what}_labelpresent_${metaName(key)}`, 'true'],
  ]);
  return {
    [`${META}_namespace`]: metadata.namespace,
    [`${META}_${what}_name`]: metadata.name,
    ...(Object.fromEntries(entries) as Labels),
  };
}

/** One for each port of each container; a pod without an address is none yet. */
function targetsOfPod(pod: Pod): readonly Discovered[] {
  const { podIP, phase } = pod.status;
  if (podIP === undefined) return [];
  return pod.spec.containers.flatMap(({ name, ports = [] }) =>
    ports.map((port): Discovered => ({
      targets: [`${podIP}:${port.containerPort}`],
      labels: {
        ...labelsOf('pod', pod),
        [`${META}_pod_phase`]: phase,
        [`${META}_pod_container_name`]: name,
        [`${META}_pod_container_port_name`]: port.name ?? '',
      },
    })),
  );
}

/** One for each port of each endpoint, with what is known of its service and of the pod behind it. */
function targetsOfSlice(
  slice: Slice,
  services: readonly Named[],
  pods: readonly Pod[],
): readonly Discovered[] {
  const { namespace, labels = {} } = slice.metadata;
  const isHere = ({ metadata }: Named, name: string | undefined): boolean =>
    metadata.namespace === namespace && metadata.name === name;
  const service = services.find((one) => isHere(one, labels[SERVICE_OF_SLICE]));
  return (slice.endpoints ?? []).flatMap(({ addresses, targetRef }) => {
    const pod = pods.find((one) => isHere(one, targetRef?.name));
    const ofPod = pod === undefined ? [] : targetsOfPod(pod);
    return (slice.ports ?? []).map(({ name, port }): Discovered => {
      const address = `${addresses[0]!}:${port}`;
      return {
        targets: [address],
        labels: {
          ...ofPod.find(({ targets: [one] }) => one === address)?.labels,
          ...(service === undefined ? {} : labelsOf('service', service)),
          [`${META}_namespace`]: namespace,
          [`${META}_endpointslice_port_name`]: name,
          [`${META}_endpointslice_address_target_kind`]: targetRef?.kind ?? '',
          [`${META}_endpointslice_address_target_name`]: targetRef?.name ?? '',
        },
      };
    });
  });
}
