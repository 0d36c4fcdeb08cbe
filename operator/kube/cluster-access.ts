import http from 'node:http';
import https from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';

// Of the client library only what is hard to do well is used: reading kubeconfigs, in-cluster tokens that rotate, exec
// plugins, proxies. Its generated calls turn strings into dates, have no deadline and open a connection per call.

export type AccessSource =
  | { readonly from: 'InCluster' }
  | { readonly from: 'File'; readonly path: string; readonly context?: string }
  | { readonly from: 'Text'; readonly kubeconfig: string };

/** Where the API server is, and how to speak to it. */
export interface ClusterAccess {
  /** Without a slash at its end; may hold a path. */
  readonly server: string;
  /** Headers, credentials and a kept-alive agent for one call; credentials are read again when they rotate. */
  requestOptions(): Promise<https.RequestOptions>;
  /** Told of each answer as it begins, null when there is none: for metrics. */
  answered?(method: string, status: number | null): void;
  /** Closes idle connections and refuses none: the next call opens new ones. */
  close(): void;
}

/** Idle connections end before the API server (90 s) ends them, so that none is picked up while it closes. */
const IDLE_CONNECTION_MS = 30_000;

/** Throws an Error with one sentence when the source names no usable cluster. */
export function loadAccess(source: AccessSource): ClusterAccess {
  const config = new KubeConfig();
  switch (source.from) {
    case 'InCluster':
      config.loadFromCluster();
      break;
    case 'File':
      config.loadFromFile(source.path);
      if (source.context !== undefined) config.setCurrentContext(source.context);
      break;
    case 'Text':
      config.loadFromString(source.kubeconfig);
      break;
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined || !URL.canParse(server)) {
    throw new Error(
      `The kubeconfig names no API server (${server ?? 'no current context'}): set its context, or run inside a cluster.`,
    );
  }
  return accessOf(config, server.replace(/\/+$/, ''));
}

/** Of a configuration that was read already; `server` is without a slash at its end. */
export function accessOf(config: KubeConfig, server: string): ClusterAccess {
  let kept: KeptAgent | null = null;
  return {
    server,
    requestOptions: async () => {
      const options: https.RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const identity = identityOf(options);
      if (kept?.identity !== identity) {
        kept?.agent.destroy();
        kept = { identity, agent: keepAlive(options, config.getCurrentCluster()?.proxyUrl) };
      }
      return { ...options, agent: kept.agent };
    },
    close: () => {
      kept?.agent.destroy();
      kept = null;
    },
  };
}

interface KeptAgent {
  readonly identity: string;
  readonly agent: http.Agent;
}

/** The library makes an agent per call, and with it a TLS handshake; ours lives until certificates change. */
function keepAlive(options: https.RequestOptions, proxyUrl: string | undefined): http.Agent {
  const made = options.agent as http.Agent;
  if (proxyUrl !== undefined) return made;
  const settings = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  if (!(made instanceof https.Agent)) return new http.Agent(settings);
  return new https.Agent({ ...made.options, ...settings });
}

function identityOf(options: https.RequestOptions): string {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const text = (part: unknown): string => (Buffer.isBuffer(part) ? part.toString('latin1') : '');
  return JSON.stringify([text(ca), text(cert), text(key), servername, rejectUnauthorized]);
}
