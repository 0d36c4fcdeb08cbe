import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, inject } from 'vitest';
import type { ApiRequest } from '../cluster/harness/api-request.ts';
import { createApiRequest } from '../cluster/harness/api-request.ts';
import { askBroker } from '../cluster/harness/ask-broker.ts';
import type { AuditEvent } from '../cluster/harness/audit-events.ts';
import { readAuditEvents } from '../cluster/harness/audit-events.ts';
import { whyUnavailable } from '../cluster/harness/availability.ts';
import { clientTools } from '../cluster/harness/client-tools.ts';
import type { Cluster, ClusterFacts, ClusterOptions } from '../cluster/harness/cluster.ts';
import { startCluster } from '../cluster/harness/cluster.ts';
import { dumpNamespace } from '../cluster/harness/dump-namespace.ts';
import type { Identities } from '../cluster/harness/identities.ts';
import { createIdentities } from '../cluster/harness/identities.ts';
import type { CommandOptions, CommandResult } from '../cluster/harness/run-command.ts';
import { runCommand } from '../cluster/harness/run-command.ts';
import type { NamespaceOptions, TestNamespace } from '../cluster/harness/test-namespace.ts';
import { createTestNamespace } from '../cluster/harness/test-namespace.ts';

export { whyUnavailable } from '../cluster/harness/availability.ts';

export interface ToolOptions extends CommandOptions {
  /** @defaultValue the administrator's */
  readonly kubeconfigPath?: string;
}

/** A running Kubernetes control plane, as tests see it. All requests are the administrator's unless said otherwise. */
export interface ControlPlane extends Identities {
  readonly url: string;
  readonly kubeconfigPath: string;
  /** PEM texts. */
  readonly ca: string;
  readonly adminCert: string;
  readonly adminKey: string;
  readonly etcdPort: number;
  readonly request: ApiRequest;
  /** A namespace of its own for one test: see `createTestNamespace` for when it ends. */
  namespace(options?: NamespaceOptions): Promise<TestNamespace>;
  dump(namespace: string): Promise<string>;
  /** Real kubectl; a non-zero exit is a value. */
  kubectl(args: readonly string[], options?: ToolOptions): Promise<CommandResult>;
  helm(args: readonly string[], options?: ToolOptions): Promise<CommandResult>;
  /** What the API server was asked so far; needs `auditLog: true`. */
  auditEvents(): AuditEvent[];
  /** What a part has written, for example `apiserver`. */
  logOf(part: string): string;
}

/** One that this test file started for itself and may therefore break. */
export type OwnControlPlane = ControlPlane & Omit<Cluster, 'facts'>;

/** The shared one, or why there is none: then its tests are skipped and its other fields throw when touched. */
export type SharedControlPlane = ControlPlane & { readonly unavailable: string | null };

/**
 * Starts a control plane for this test file alone, about 4 s: for tests that kill, freeze or configure parts.
 * The caller stops it; if it cannot, the end of the process does.
 * @throws Unavailable: ask `whyUnavailable('control-plane')` first and skip.
 */
export async function startControlPlane(options: ClusterOptions = {}): Promise<OwnControlPlane> {
  const { facts, ...cluster } = await startCluster(options);
  return { ...connectControlPlane(facts), ...cluster };
}

/**
 * The control plane that all test files of a run share: etcd, API server, controllers and scheduler, no nodes.
 * Await it at the top of a file and skip where there is none:
 * `const plane = await sharedControlPlane(); describe.skipIf(plane.unavailable !== null)(...)`.
 */
export async function sharedControlPlane(): Promise<SharedControlPlane> {
  const socket = inject('clusterBroker');
  if (socket === undefined) return controlPlaneOfThisFile();
  const shared = await askBroker<ClusterFacts>(socket, 'control-plane');
  if (shared.unavailable !== null) return absent(shared.unavailable);
  return { unavailable: null, ...connectControlPlane(shared.facts) };
}

/** Under a vitest configuration without the global set-up. */
async function controlPlaneOfThisFile(): Promise<SharedControlPlane> {
  const unavailable = await whyUnavailable('control-plane');
  if (unavailable !== null) return absent(unavailable);
  const own = await startControlPlane();
  afterAll(() => own.stop());
  return { unavailable: null, ...own };
}

function absent(unavailable: string): SharedControlPlane {
  return new Proxy({ unavailable } as SharedControlPlane, {
    get: (_target, name) => {
      if (name === 'unavailable') return unavailable;
      // Awaiting the object asks whether it is a promise.
      if (name === 'then') return undefined;
      throw new Error(`there is no control plane here (${unavailable}): skip this test`);
    },
  });
}

/** Everything that any process of the run can do with a cluster whose facts it knows. */
function connectControlPlane(facts: ClusterFacts): ControlPlane {
  const { folder, url, parts, auditLogPath } = facts;
  const keys = join(folder, 'keys');
  const read = (name: string) => readFileSync(join(keys, name), 'utf8');
  const kubeconfigPath = join(keys, 'admin.kubeconfig');
  const credential = { certPath: join(keys, 'admin.crt'), keyPath: join(keys, 'admin.key') };
  const request = createApiRequest({ url, caPath: join(keys, 'ca.crt'), ...credential });
  const tool = async (name: 'kubectl' | 'helm', args: readonly string[], options: ToolOptions) => {
    const tools = await clientTools();
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
