import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLUGIN_FOLDER } from '../availability.ts';

export interface NodeLayout {
  readonly folder: string;
  readonly name: string;
  readonly address: string;
  /** Folder name under every cgroup hierarchy: a kubelet ends whatever it does not know below its root. */
  readonly cgroup: string;
}

export const PAUSE_IMAGE = 'localhost/pause:1';
export const DNS_ADDRESS = '10.96.0.10';
const POD_RANGE = '10.244.0.0/16';

export const containerdSocket = (folder: string): string => join(folder, 'containerd.sock');
/** Where a kubelet looks for the sockets of device plugins. */
export const pluginRegistry = (folder: string): string =>
  join(folder, 'kubelet', 'plugins_registry');

/** Writes what containerd, its network plugins, the kubelet and kube-proxy read. */
export function writeNodeConfiguration(layout: NodeLayout): void {
  const { folder } = layout;
  const write = (name: string, content: string | object) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(join(folder, name), text);
  };
  mkdirSync(join(folder, 'cni'), { recursive: true });
  mkdirSync(join(folder, 'kubelet'), { recursive: true });
  write('resolv.conf', '');
  write('cni/bridge.conflist', podNetwork(folder));
  write('containerd.toml', containerd(folder));
  write('kubelet.json', kubelet(layout));
  write('proxy.json', proxy(folder));
}

function podNetwork(folder: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'addresses'),
    ranges: [[{ subnet: POD_RANGE }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  const bridge = { type: 'bridge', bridge: 'pods', isGateway: true, hairpinMode: true, ipam };
  return { cniVersion: '1.0.0', name: 'pods', plugins: [bridge] };
}

function containerd(folder: string): string {
  const unused = ['btrfs', 'zfs', 'erofs', 'blockfile', 'devmapper'];
  const disabled = [
    ...unused.map((name) => `io.containerd.snapshotter.v1.${name}`),
    'io.containerd.nri.v1.nri',
  ];
  return `version = 3
root = "${folder}/containerd"
state = "${folder}/containerd-state"
disabled_plugins = ${JSON.stringify(disabled)}
[grpc]
address = "${containerdSocket(folder)}"
[ttrpc]
address = "${containerdSocket(folder)}.ttrpc"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "overlayfs"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${PAUSE_IMAGE}"
[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
# Lowering a score needs a capability that not every machine grants.
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${PLUGIN_FOLDER}"]
conf_dir = "${folder}/cni"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}

function kubelet({ folder, cgroup }: NodeLayout): object {
  const key = (name: string) => join(folder, 'keys', name);
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: key('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: key('kubelet-server.crt'),
    tlsPrivateKeyFile: key('kubelet-server.key'),
    containerRuntimeEndpoint: `unix://${containerdSocket(folder)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    resolvConf: join(folder, 'resolv.conf'),
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    syncFrequency: '5s',
    nodeStatusUpdateFrequency: '5s',
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'imagefs.available': '1%',
    },
    serializeImagePulls: false,
    podLogsDir: join(folder, 'pod-logs'),
  };
}

function proxy(folder: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: join(folder, 'keys', 'kube-proxy.kubeconfig') },
    clusterCIDR: POD_RANGE,
    conntrack: { maxPerCore: 0 },
    bindAddress: '0.0.0.0',
  };
}
