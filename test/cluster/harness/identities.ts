import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiRequest } from './api-request.ts';
import type { Subject } from './certificates.ts';
import { kubeconfigText } from './certificates.ts';
import { addClient } from './cluster-keys.ts';

export interface Identities {
  /** A kubeconfig for any user and groups, by certificate; what they may do, RBAC says. */
  readonly userKubeconfig: (subject: Subject) => Promise<string>;
  /** A kubeconfig with an hour's token of a service account, as a pod would have it. */
  readonly serviceAccountKubeconfig: (namespace: string, name: string) => Promise<string>;
}

export function createIdentities(keys: string, url: string, request: ApiRequest): Identities {
  return {
    userKubeconfig: (subject) =>
      addClient({ folder: keys, url }, `user-${randomBytes(5).toString('hex')}`, subject),
    serviceAccountKubeconfig: async (namespace, name) => {
      const { status, body } = await request({
        method: 'POST',
        path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      if (status !== 201) {
        throw new Error(`no token for ${namespace}/${name}: ${JSON.stringify(body)}`);
      }
      const { token } = (body as { status: { token: string } }).status;
      const path = join(keys, `account-${randomBytes(5).toString('hex')}.kubeconfig`);
      writeFileSync(path, kubeconfigText(keys, url, { token }), { mode: 0o600 });
      return path;
    },
  };
}
