import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Subject } from './certificates.ts';
import {
  SERVICE_ADDRESS,
  createAuthority,
  createTokenKeys,
  issueClient,
  issueServer,
  kubeconfigText,
} from './certificates.ts';

const clients: Readonly<Record<string, Subject>> = {
  admin: { user: 'admin', groups: ['system:masters'] },
  'apiserver-to-kubelet': { user: 'kube-apiserver', groups: ['system:masters'] },
  'front-proxy': { user: 'front-proxy-client' },
  'controller-manager': { user: 'system:kube-controller-manager' },
  scheduler: { user: 'system:kube-scheduler' },
};

/** All keys of a cluster without nodes: authorities, the API server's certificate, its clients with kubeconfigs. */
export async function createClusterKeys(
  folder: string,
  url: string,
  moreAddresses: readonly string[],
): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  createTokenKeys(folder);
  await Promise.all([createAuthority(folder, 'ca'), createAuthority(folder, 'front-proxy-ca')]);
  const service = 'kubernetes.default.svc';
  const names = ['localhost', 'kubernetes', 'kubernetes.default', service].map((n) => `DNS:${n}`);
  const addresses = ['127.0.0.1', SERVICE_ADDRESS, ...moreAddresses].map((a) => `IP:${a}`);
  const subject = { user: 'kube-apiserver' };
  await Promise.all([
    issueServer(folder, 'apiserver', subject, [...names, ...addresses]),
    ...Object.entries(clients).map(([name, client]) => addClient({ folder, url }, name, client)),
  ]);
}

/** Issues a client certificate and writes `<name>.kubeconfig` beside it; returns the kubeconfig's path. */
export async function addClient(
  { folder, url }: { readonly folder: string; readonly url: string },
  name: string,
  subject: Subject,
): Promise<string> {
  const credential = await issueClient(folder, name, subject);
  const path = join(folder, `${name}.kubeconfig`);
  writeFileSync(path, kubeconfigText(folder, url, credential), { mode: 0o600 });
  return path;
}
