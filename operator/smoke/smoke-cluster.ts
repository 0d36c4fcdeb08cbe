import { API_VERSION, KIND } from '../../crds/v1alpha1/cached-model-service.ts';
import { readServiceStatus, type ServiceStatus } from '../../crds/v1alpha1/service-status.ts';
import { errorText } from '../../server/core/system-error.ts';
import type { Api } from '../kube/api.ts';
import { getOrNull } from '../kube/get-or-null.ts';
import { selectorText } from '../plan/labels.ts';
import { NotYet } from './smoke-steps.ts';
import { smokeService } from './smoke-service.ts';

/** What the test sees of a cluster and of its one service. */
export interface SmokeCluster {
  servedKinds(): Promise<readonly string[]>;
  /** Resolves with its name. */
  create(): Promise<string>;
  read(): Promise<{ readonly generation: number; readonly status: ServiceStatus }>;
  /** Gone: it was not there any more. */
  remove(): Promise<'Deleted' | 'Gone'>;
  pods(): Promise<readonly SmokePod[]>;
  get(path: string): Promise<unknown>;
  post(path: string, body: object): Promise<unknown>;
  metricsOf(pod: SmokePod): Promise<string>;
}

export interface SmokePod {
  readonly name: string;
  readonly ip: string;
}

export interface SmokePlace {
  readonly namespace: string;
  readonly name: string;
}

export interface SmokeTools {
  readonly api: Api;
  /** Text of `GET path` of the API server, whatever its status. */
  readonly discover: (path: string) => Promise<string>;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
}

const CALL_MS = 10_000;
const METRICS_PORT = 9090;

export function createSmokeCluster(
  { api, discover, fetch: fetchUrl }: SmokeTools,
  { namespace, name }: SmokePlace,
): SmokeCluster {
  const ref = { kind: KIND, namespace, name } as const;
  const base = `http://${name}.${namespace}.svc:80`;
  const ask = async (url: string, init: RequestInit = {}): Promise<string> => {
    const answer = await answerOf(() =>
      fetchUrl(url, { ...init, signal: AbortSignal.timeout(CALL_MS) }),
    );
    const text = await answer.text();
    if (answer.ok) return text;
    throw new NotYet(`${url} answered ${String(answer.status)}: ${text.slice(0, 300)}`);
  };
  return {
    servedKinds: async () => {
      const list = JSON.parse(await discover(`/apis/${API_VERSION}`)) as {
        readonly resources?: readonly { readonly kind: string; readonly name: string }[];
      };
      return (list.resources ?? [])
        .filter((one) => !one.name.includes('/'))
        .map(({ kind }) => kind);
    },
    create: async () => {
      await api.create(smokeService(namespace, name));
      return `${namespace}/${name}`;
    },
    read: async () => {
      const object = await getOrNull(api, ref);
      if (object === null) throw new Error('somebody deleted it');
      const status = readServiceStatus(object.status);
      return { generation: object.metadata.generation ?? 0, status };
    },
    remove: () => api.delete(ref),
    pods: async () => {
      const { items } = await api.list('Pod', { namespace, labelSelector: selectorText(name) });
      return items.map(({ metadata, status }) => ({
        name: metadata.name,
        ip: (status as { podIP?: string } | undefined)?.podIP ?? '',
      }));
    },
    get: async (path) => JSON.parse(await ask(`${base}${path}`)) as unknown,
    post: async (path, body) =>
      JSON.parse(
        await ask(`${base}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ) as unknown,
    metricsOf: ({ ip }) => ask(`http://${hostOf(ip)}:${String(METRICS_PORT)}/metrics`),
  };
}

/** An address of version 6 stands in brackets. */
function hostOf(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

/** The address of a service takes a moment to be routed. */
async function answerOf(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new NotYet(`no answer: ${errorText(cause)}`);
  }
}
