import { join } from 'node:path';

export interface ClusterLayout {
  readonly folder: string;
  readonly keys: string;
  readonly etcdPort: number;
  readonly etcdPeerPort: number;
  readonly apiPort: number;
  readonly kwokPort: number;
  /** The address of the node that the cluster has, or null: then everything is on loopback. */
  readonly nodeAddress: string | null;
  readonly auditLogPath: string | null;
  readonly etcdCompaction: string;
  readonly apiServerFlags: readonly string[];
  readonly controllerManagerFlags: readonly string[];
}

export function etcdArguments(layout: ClusterLayout): string[] {
  const client = `http://127.0.0.1:${layout.etcdPort}`;
  const peer = `http://127.0.0.1:${layout.etcdPeerPort}`;
  return [
    '--name=etcd',
    `--data-dir=${join(layout.folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    // The data does not outlive the test, so nothing is gained by waiting for the disk.
    '--unsafe-no-fsync',
    '--auto-compaction-mode=periodic',
    `--auto-compaction-retention=${layout.etcdCompaction}`,
    '--log-level=warn',
  ];
}

/** Default admission plus NodeRestriction, Node and RBAC authorization: what kubeadm sets up. */
export function apiServerArguments(
  layout: ClusterLayout,
  ports: { readonly api: number; readonly etcd: number },
): string[] {
  const key = (name: string) => join(layout.keys, name);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.api}`,
    `--bind-address=${layout.nodeAddress === null ? '127.0.0.1' : '0.0.0.0'}`,
    // Refuses loopback; without nodes nobody dials it.
    `--advertise-address=${layout.nodeAddress ?? '192.0.2.1'}`,
    `--endpoint-reconciler-type=${layout.nodeAddress === null ? 'none' : 'lease'}`,
    `--tls-cert-file=${key('apiserver.crt')}`,
    `--tls-private-key-file=${key('apiserver.key')}`,
    `--client-ca-file=${key('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${key('tokens.pub')}`,
    `--service-account-signing-key-file=${key('tokens.key')}`,
    `--kubelet-client-certificate=${key('apiserver-to-kubelet.crt')}`,
    `--kubelet-client-key=${key('apiserver-to-kubelet.key')}`,
    `--kubelet-certificate-authority=${key('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${key('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${key('front-proxy.crt')}`,
    `--proxy-client-key-file=${key('front-proxy.key')}`,
    ...auditFlags(layout),
    ...layout.apiServerFlags,
  ];
}

function auditFlags({ folder, auditLogPath }: ClusterLayout): string[] {
  if (auditLogPath === null) return [];
  return [
    `--audit-log-path=${auditLogPath}`,
    `--audit-policy-file=${join(folder, 'audit.json')}`,
    // Each event is on disk before its request is answered, so a test reads all of what it did.
    '--audit-log-mode=blocking-strict',
  ];
}

export function controllerManagerArguments(layout: ClusterLayout): string[] {
  const key = (name: string) => join(layout.keys, name);
  const kubeconfig = key('controller-manager.kubeconfig');
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${key('tokens.key')}`,
    `--root-ca-file=${key('ca.crt')}`,
    `--cluster-signing-cert-file=${key('ca.crt')}`,
    `--cluster-signing-key-file=${key('ca.key')}`,
    '--use-service-account-credentials=true',
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    // An autoscaler's first word after seconds, not after a quarter of a minute.
    '--horizontal-pod-autoscaler-sync-period=2s',
    ...layout.controllerManagerFlags,
  ];
}

export function schedulerArguments(layout: ClusterLayout): string[] {
  return [`--config=${join(layout.folder, 'scheduler.json')}`, '--secure-port=0'];
}

export function schedulerConfiguration(layout: ClusterLayout): object {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: {
      kubeconfig: join(layout.keys, 'scheduler.kubeconfig'),
      qps: 200,
      burst: 400,
    },
    leaderElection: { leaderElect: false },
  };
}

/** kwok plays the kubelet of the nodes that carry this annotation, and of no others. */
export const FAKE_NODE = { annotation: 'kwok.x-k8s.io/node', value: 'fake' } as const;

export function kwokArguments(layout: ClusterLayout, stagesPath: string): string[] {
  return [
    `--kubeconfig=${join(layout.keys, 'admin.kubeconfig')}`,
    '--manage-all-nodes=false',
    `--manage-nodes-with-annotation-selector=${FAKE_NODE.annotation}=${FAKE_NODE.value}`,
    `--config=${stagesPath}`,
    '--node-lease-duration-seconds=40',
    `--server-address=127.0.0.1:${layout.kwokPort}`,
  ];
}
