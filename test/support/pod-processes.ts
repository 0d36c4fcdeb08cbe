// Plays the node of a cluster: each pod that the real Deployment controller makes is a server process with the environment and the
// mounts of its template, on an address of the loopback network of its own, under open-loop load from ready to its deletion.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../operator/clock.ts';
import { startOpenLoop, type OpenLoopRun } from '../bench/open-loop.ts';
import type { ControlPlane } from './control-plane.ts';
import { mountFiles } from './mount-files.ts';
import { hostPidOf } from './served-process.ts';
import { spawnServer, type StartedServer } from './server-process.ts';
import { rowRequest } from './swap-run.ts';

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly containers: readonly { readonly env: readonly EnvironmentEntry[] }[];
    readonly volumes: readonly Volume[];
  };
}

interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
  };
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}

/** Where a server finds a volume of its template when it is no pod. */
const VOLUME_SETTINGS: Readonly<Record<string, string>> = {
  policy: 'LAYERCACHE_POLICY_DIR',
  admin: 'LAYERCACHE_ADMIN_DIR',
  credentials: 'LAYERCACHE_CREDENTIALS_DIR',
  'ca-bundle': 'LAYERCACHE_CA_BUNDLE_DIR',
  'store-credentials': 'LAYERCACHE_STORE_CREDENTIALS_DIR',
  'store-ca-bundle': 'LAYERCACHE_STORE_CA_BUNDLE_DIR',
};

/** A running server. */
export interface PodProcess {
  readonly service: string;
  readonly ip: string;
  readonly pid: number;
  readonly hostPid: number;
}

export interface PodProcesses {
  /** Those that are ready and not on their way out. */
  readonly ready: () => readonly PodProcess[];
  readonly started: () => number;
  readonly requests: () => number;
  /** Requests without an answer of 200, and processes that did not end as they should. */
  readonly failures: readonly string[];
  /** What servers have written. */
  readonly output: () => string;
  /** What ended pods left behind. */
  readonly leftovers: readonly string[];
  /** Until the signal; ends what runs. */
  run(signal: AbortSignal): Promise<void>;
}

export interface PodProcessesOptions {
  readonly plane: ControlPlane;
  readonly namespace: string;
  readonly lookMs: number;
  readonly ratePerSecond: number;
  /** No pod lives longer: a schedule is made for so long. */
  readonly longestMs: number;
}

const CONTROLLERS = [
  '*',
  // The played node has no heartbeat, and its pods have addresses that no endpoint may have.
  ...['-node-lifecycle-controller', '-taint-eviction-controller'],
  ...['-endpoints-controller', '-endpointslice-controller'],
];

/** What `startControlPlane` needs for pods that are played so. */
export const PLAYED_PODS_PLANE = {
  parts: ['etcd', 'apiserver', 'controller-manager'],
  controllerManagerFlags: [`--controllers=${CONTROLLERS.join(',')}`],
} as const;

const NODE = 'played';
const READY_WITHIN_MS = 120_000;
const ROWS = 16;

type Values = ReadonlyMap<string, Buffer>;

interface Running extends PodProcess {
  readonly started: StartedServer;
  readonly load: OpenLoopRun;
}

export function createPodProcesses(options: PodProcessesOptions): PodProcesses {
  const { plane, namespace, lookMs, ratePerSecond, longestMs } = options;
  const base = `/api/v1/namespaces/${namespace}`;
  const folder = mkdtempSync(join(tmpdir(), 'layercache-pods-'));
  const running = new Map<string, Promise<Running>>();
  const readyPods = new Map<string, Running>();
  const ending = new Set<string>();
  const failures: string[] = [];
  const leftovers: string[] = [];
  /** By UID, those that ended too. */
  const servers = new Map<string, StartedServer>();
  let count = 0;
  let requests = 0;

  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await plane.request({ method, path, body, contentType });
    if (answer.status >= 300) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body as T;
  }

  /** The keys of a ConfigMap or a Secret; none where it is not there. */
  async function valuesOf(kind: 'configmaps' | 'secrets', name: string): Promise<Values> {
    const found = await plane.request({ path: `${base}/${kind}/${name}` });
    const { data = {}, binaryData = {} } = found.body as {
      readonly data?: Readonly<Record<string, string>>;
      readonly binaryData?: Readonly<Record<string, string>>;
    };
    const text = kind === 'secrets' ? 'base64' : 'utf8';
    return new Map([
      ...Object.entries(data).map(([key, value]) => [key, Buffer.from(value, text)] as const),
      ...Object.entries(binaryData).map(
        ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
      ),
    ]);
  }

  /** As the kubelet does: keys are files. Told is where a server looks for them. */
  async function mountAll({ spec }: Pod, home: string): Promise<Record<string, string>> {
    const settings: Record<string, string> = {};
    for (const { name, configMap, secret } of spec.volumes) {
      const setting = VOLUME_SETTINGS[name];
      if (setting === undefined) continue;
      const values =
        secret === undefined
          ? await valuesOf('configmaps', configMap?.name ?? '')
          : await valuesOf('secrets', secret.secretName);
      settings[setting] = mountFiles(home, name, Object.fromEntries(values));
    }
    return settings;
  }

  async function valueOf({ metadata }: Pod, { value, valueFrom = {} }: EnvironmentEntry) {
    const { fieldRef, secretKeyRef } = valueFrom;
    if (value !== undefined) return value;
    if (secretKeyRef !== undefined) {
      return (await valuesOf('secrets', secretKeyRef.name)).get(secretKeyRef.key)?.toString() ?? '';
    }
    const fields: Readonly<Record<string, string>> = {
      'metadata.uid': metadata.uid,
      'metadata.name': metadata.name,
      'metadata.namespace': namespace,
    };
    // What is left are limits, in cores.
    return fields[fieldRef?.fieldPath ?? ''] ?? '1';
  }

  async function tellStatus(name: string, ip: string, isReady: boolean): Promise<void> {
    const lastTransitionTime = new Date(systemClock.nowMs()).toISOString();
    const conditions = ['PodScheduled', 'ContainersReady', 'Ready'].map((type) => ({
      ...{ type, lastTransitionTime },
      status: isReady || type === 'PodScheduled' ? 'True' : 'False',
    }));
    await request('PATCH', `${base}/pods/${name}/status`, {
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions },
    });
  }

  async function start(pod: Pod): Promise<Running> {
    const { name, uid, labels } = pod.metadata;
    const service = labels['layercache.io/service'] ?? '';
    count += 1;
    const ip = `127.${50 + (process.pid % 200)}.${Math.floor(count / 250)}.${1 + (count % 250)}`;
    const home = join(folder, uid);
    mkdirSync(join(home, 'tmp'), { recursive: true });
    const binding = { kind: 'Node', name: NODE };
    await request('POST', `${base}/pods/${name}/binding`, {
      ...{ apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: binding },
    });
    const environment: Record<string, string> = {};
    for (const entry of pod.spec.containers[0]?.env ?? [])
      environment[entry.name] = await valueOf(pod, entry);
    const started = spawnServer({
      ...environment,
      // It ends with the tests, however these end.
      LAYERCACHE_EXIT_WITH_STDIN: 'true',
      LAYERCACHE_BIND_HOST: ip,
      ...{ LAYERCACHE_DATA_PORT: '8080', LAYERCACHE_ADMIN_PORT: '8081' },
      LAYERCACHE_METRICS_PORT: '9090',
      ...(await mountAll(pod, home)),
      ...{ LAYERCACHE_CACHE_DIR: home, TMPDIR: join(home, 'tmp') },
    });
    servers.set(uid, started);
    await tellStatus(name, ip, false);
    await untilReady(started, `http://${ip}:9090/readyz`);
    const modelName = environment.LAYERCACHE_MODEL_NAME ?? '';
    const load = await startOpenLoop({
      ...{ host: ip, port: 8080, seed: count, ratePerSecond, connections: 2 },
      requests: Math.ceil((longestMs / 1_000) * ratePerSecond),
      messages: Array.from({ length: ROWS }, (_, row) => {
        const { body, headers } = rowRequest(row);
        return { path: `/v2/models/${modelName}/infer`, body, headers };
      }),
    });
    await tellStatus(name, ip, true);
    const pid = started.child.pid ?? 0;
    const one = { service, ip, pid, hostPid: hostPidOf(pid), started, load };
    readyPods.set(uid, one);
    return one;
  }

  async function end(pod: Pod): Promise<void> {
    const { name, uid } = pod.metadata;
    const found = running.get(uid);
    // A pod that is deleted before it was ready ends all the same.
    if (!readyPods.has(uid)) servers.get(uid)?.child.kill('SIGKILL');
    const one = await found?.catch(() => undefined);
    readyPods.delete(uid);
    if (one !== undefined) await endProcess(name, one);
    rmSync(join(folder, uid), { recursive: true, force: true });
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await plane.request({ method: 'DELETE', path: `${base}/pods/${name}`, body: options });
  }

  async function endProcess(name: string, one: Running): Promise<void> {
    const { started, load, hostPid } = one;
    load.stop();
    const report = await load.done;
    requests += report.status.length;
    const notRight = [...report.status].filter((status) => status !== 200).length;
    if (notRight > 0) failures.push(`${name}: ${notRight} requests without an answer of 200`);
    started.child.kill('SIGTERM');
    const code = await started.code;
    if (code !== 0) failures.push(`${name} ended with ${String(code)}: ${started.stderr()}`);
    for (let i = 0; i < 100 && existsSync(`/proc/${hostPid}`); i += 1) await wait(100);
    if (existsSync(`/proc/${hostPid}`)) leftovers.push(`engine host of ${name}`);
  }

  function look(pods: readonly Pod[]): void {
    for (const pod of pods) {
      const { uid, name, deletionTimestamp } = pod.metadata;
      if (deletionTimestamp !== undefined) {
        if (ending.has(uid)) continue;
        ending.add(uid);
        end(pod).catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
      } else if (!running.has(uid)) {
        const one = start(pod);
        running.set(uid, one);
        one.catch((error: unknown) => failures.push(`${name}: ${String(error)}`));
      }
    }
    const there = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const uid of running.keys()) {
      if (there.has(uid)) continue;
      running.delete(uid);
      ending.delete(uid);
    }
  }

  return {
    ready: () => [...readyPods.values()],
    started: () => count,
    requests: () => requests,
    output: () => [...servers.values()].map(({ stdout, stderr }) => stdout() + stderr()).join('\n'),
    failures,
    leftovers,
    run: async (signal) => {
      await request('POST', '/api/v1/nodes', {
        ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } },
      });
      while (!signal.aborted) {
        const { items } = await request<{ readonly items: readonly Pod[] }>('GET', `${base}/pods`);
        look(items);
        await wait(lookMs, undefined, { signal }).catch(() => undefined);
      }
      for (const [uid, { child }] of servers) if (!readyPods.has(uid)) child.kill('SIGKILL');
      for (const one of await Promise.all(
        [...running.values()].map((each) => each.catch(() => null)),
      )) {
        if (one === null) continue;
        leftovers.push(`server of ${one.service}`);
        one.started.child.kill('SIGKILL');
      }
      rmSync(folder, { recursive: true });
    },
  };
}

async function untilReady(started: StartedServer, url: string): Promise<void> {
  const untilMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < untilMs) {
    const isReady = await fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) return;
    if (started.child.exitCode !== null || started.child.signalCode !== null) break;
    await wait(100);
  }
  started.child.kill('SIGKILL');
  throw new Error(`not ready: ${started.stderr()}${started.stdout()}`);
}
