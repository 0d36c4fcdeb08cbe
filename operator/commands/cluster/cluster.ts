import type { Api } from '../../kube/api.ts';
import type { KubeClock } from '../../kube/clock.ts';

/** What flags and environment say of a cluster. */
export interface ClusterFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  readonly allNamespaces?: boolean | undefined;
}

/** An answer of the API server as it came, whatever its status. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  /** The API server's clock when it answered; null: it did not say. */
  readonly serverMs: number | null;
}

/** A cluster as a command sees it. */
export interface Cluster {
  readonly api: Api;
  readonly clock: KubeClock;
  readonly server: string;
  readonly context: string;
  /** Of --namespace, else of the context. */
  readonly namespace: string;
  /** Undefined: all namespaces. */
  readonly listNamespace: string | undefined;
  /** For what no kind of the operator is: discovery, access reviews, proxies. Rejects only without any answer. */
  raw(method: 'GET' | 'POST', target: string, body?: unknown): Promise<RawAnswer>;
  close(): void;
}
