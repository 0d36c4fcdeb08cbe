import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiRequest } from './api-request.ts';
import { createApiRequest } from './api-request.ts';
import type { AuditEvent } from './audit-events.ts';
import { readAuditEvents } from './audit-events.ts';
import { clientTools, type HelmMajor } from './client-tools.ts';
import type { ClusterFacts } from './cluster.ts';
import { dumpNamespace } from './dump-namespace.ts';
import type { Identities } from './identities.ts';
import { createIdentities } from './identities.ts';
import type { CommandOptions, CommandResult } from './run-command.ts';
import { runCommand } from './run-command.ts';
import type { NamespaceOptions, TestNamespace } from './test-namespace.ts';
import { createTestNamespace } from './test-namespace.ts';

export interface ToolOptions extends CommandOptions {
  /** @defaultValue the administrator's */
  readonly kubeconfigPath?: string;
}

export interface HelmOptions extends ToolOptions {
  /** @defaultValue 4 */
  readonly major?: HelmMajor;
}

/** A running Kubernetes control plane, as tests see it. All requests are the administrator's unless said otherwise. */
export interface ControlPlane extends Identities {
  readonly url: string;
  /** Where its parts keep their files. */
  readonly folder: string;
  readonly kubeconfigPath: string;
  /** PEM texts. */
  readonly ca: string;
  readonly adminCert: string;
  readonly adminKey: string;
  readonly etcdPort: number;
  readonly request: ApiRequest;
  /** A namespace of its own for one test: see `createTestNamespace` for when it ends. */
  readonly namespace: (options?: NamespaceOptions) => Promise<TestNamespace>;
  readonly dump: (namespace: string) => Promise<string>;
  /** Real kubectl; a non-zero exit is a value. */
  readonly kubectl: (args: readonly string[], options?: ToolOptions) => Promise<CommandResult>;
  readonly helm: (args: readonly string[], options?: HelmOptions) => Promise<CommandResult>;
  /** What the API server was asked so far; needs `auditLog: true`. */
  readonly auditEvents: () => AuditEvent[];
  /** What a part has written, for example `apiserver`. */
  readonly logOf: (part: string) => string;
}

/** Everything that any process of the run can do with a cluster whose facts it knows. */
export function connectControlPlane(facts: ClusterFacts): ControlPlane {
  const { folder, url, parts, auditLogPath } = facts;
  const keys = join(folder, 'keys');
  const read = (name: string) => readFileSync(join(keys, name), 'utf8');
  const kubeconfigPath = join(keys, 'admin.kubeconfig');
  const credential = { certPath: join(keys, 'admin.crt'), keyPath: join(keys, 'admin.key') };
  const request = createApiRequest({ url, caPath: join(keys, 'ca.crt'), ...credential });
  const tool = async (name: 'kubectl' | 'helm', args: readonly string[], options: HelmOptions) => {
    const tools = await clientTools(options.major);
    const environment = {
      KUBECONFIG: options.kubeconfigPath ?? kubeconfigPath,
      KUBECACHEDIR: join(folder, 'kubectl'),
      HELM_CACHE_HOME: join(folder, 'helm', 'cache'),
      HELM_CONFIG_HOME: join(folder, 'helm', 'config'),
      HELM_DATA_HOME: join(folder, 'helm', 'data'),
      ...options.environment,
    };
    return runCommand(tools[name], args, { ...options, environment });
  };
  return {
    url,
    folder,
    kubeconfigPath,
    ca: read('ca.crt'),
    adminCert: read('admin.crt'),
    adminKey: read('admin.key'),
    etcdPort: facts.etcdPort,
    request,
    ...createIdentities(keys, url, request),
    namespace: (options) =>
      createTestNamespace(
        request,
        { hasControllers: parts.includes('controller-manager') },
        options,
      ),
    dump: (namespace) => dumpNamespace(request, namespace),
    kubectl: (args, options = {}) => tool('kubectl', args, options),
    helm: (args, options = {}) => tool('helm', args, options),
    auditEvents: () => {
      if (auditLogPath === null) throw new Error('start the control plane with auditLog: true');
      return readAuditEvents(auditLogPath);
    },
    logOf: (part) => readFileSync(join(folder, `${part}.log`), 'utf8'),
  };
}
