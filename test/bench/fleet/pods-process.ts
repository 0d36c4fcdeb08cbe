// The containers of pods that kwok plays: follows pods of servers through the API server, opens the admin port of each on the address
// that its status has, with the keys of the Secret that it mounts, and answers for it. Started by the benchmark, as
// `fleet-pods.mjs KUBECONFIG PART PARTS`: several share the pods by service.
import { createHash } from 'node:crypto';
import { setInterval as every } from 'node:timers';
import { parsePeers } from '../../../crds/wire/peers.ts';
import { adminGenerationOf } from '../../../operator/controllers/cached-model-service/admin-generation-of.ts';
import { serviceOfPod } from '../../../operator/controllers/caches.ts';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { createClient } from '../../../operator/kube/client.ts';
import { sleep, systemKubeClock as clock } from '../../../operator/kube/clock.ts';
import { loadAccess } from '../../../operator/kube/cluster-access.ts';
import { createReflector } from '../../../operator/kube/reflector.ts';
import { mountedBundle } from '../../../operator/controllers/cached-model-service/lifecycle/load-heads.ts';
import { limitConcurrency } from '../../../operator/fleet/limit-concurrency.ts';
import { adminSecretName, policyConfigMapName } from '../../../operator/plan/names.ts';
import type { AdminIdentity } from '../../../server/admin/admin-identity.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import type { AppliedPolicy, FromPods, PodsReport, ToPods } from './messages.ts';
import { listenAsPod, type PodListener } from './pod-listener.ts';
import { createKnownHeads } from './simulated-heads.ts';
import {
  createSimulatedPod,
  type PodAnswer,
  type PodRequest,
  type SimulatedPod,
} from './simulated-pod.ts';
import { createSyntheticTraffic } from './synthetic-traffic.ts';

interface RunningPod {
  readonly service: string;
  readonly pod: SimulatedPod;
  /** Null while it opens. */
  listener: PodListener | null;
  isGone: boolean;
}

const TELL_MS = 100;
const SECRETS_AT_ONCE = 8;
const RETRY_MS = 500;
/** How often a kubelet looks after a pod's volumes. */
const MOUNT_MS = 60_000;
const SLOT_MS = 100;

const [kubeconfig = '', part = '0', parts = '1'] = process.argv.slice(2);
const ended = new AbortController();
const { signal } = ended;
const api = createClient({
  access: loadAccess({ from: 'File', path: kubeconfig }),
  clock,
  budget: null,
});
const heads = createKnownHeads();
const running = new Map<string, RunningPod>();
const identities = new Map<string, Promise<AdminIdentity>>();
const secretLimit = limitConcurrency(SECRETS_AT_ONCE);
const counts = { connections: 0, handshakes: 0, calls: new Map<string, number>() };
let evidenceLagMs: number[] = [];
let applied: AppliedPolicy[] = [];
let areDropped = false;
let traffic: Extract<ToPods, { kind: 'Traffic' }> = {
  ...{ kind: 'Traffic', rowsPerSecond: 0, windowSeconds: 10, drifting: [] },
};

function tell(message: FromPods): void {
  process.send?.(message);
}

function isMine(service: string): boolean {
  const [first = 0] = createHash('sha256').update(service).digest();
  return first % Number(parts) === Number(part);
}

function take(object: KubeObject | null, previous: KubeObject | null): void {
  const uid = (object ?? previous)?.metadata.uid ?? '';
  const known = running.get(uid);
  if (object === null) {
    if (known !== undefined) close(uid, known);
    return;
  }
  const service = serviceOfPod(object) ?? '';
  const address = addressOf(object);
  if (known === undefined && address !== null && isMine(service)) {
    void open(object, service, address);
  }
}

/** Null until it runs. */
function addressOf({ status }: KubeObject): string | null {
  const { podIP, phase } = (status ?? {}) as { readonly podIP?: string; readonly phase?: string };
  return phase === 'Running' ? (podIP ?? null) : null;
}

async function open(object: KubeObject, service: string, address: string): Promise<void> {
  const { uid: podUid = '' } = object.metadata;
  const [, name = ''] = service.split('/');
  const pod = createSimulatedPod({
    ...{ podUid, model: name, heads, nowMs: () => clock.nowMs() },
    observer: {
      policyApplied: ({ epoch, revision, limits, stable, exitsEnabled }) => {
        const { maxQueueLength } = limits;
        applied.push({
          ...{ service, podUid, epoch, revision, maxQueueLength, exitsEnabled },
          stable: stable?.headRevision ?? null,
          atMs: clock.nowMs(),
        });
      },
      windowRead: (ageMs) => evidenceLagMs.push(ageMs),
    },
  });
  const entry: RunningPod = { service, pod, listener: null, isGone: false };
  running.set(podUid, entry);
  const identity = await identityOf(object, name);
  if (entry.isGone) return;
  const answer = (request: PodRequest): PodAnswer | null =>
    areDropped && request.method === 'PUT' && request.path === '/v1/policy'
      ? null
      : pod.answer(request);
  const listener = await listenAsPod(address, identity, answer, {
    connected: () => {
      counts.connections += 1;
      counts.handshakes += 1;
    },
    disconnected: () => {
      counts.connections -= 1;
    },
    called: (method, route) => {
      const name = `${method} ${route}`;
      counts.calls.set(name, (counts.calls.get(name) ?? 0) + 1);
    },
  });
  entry.listener = listener;
  // It may have gone meanwhile.
  if (running.get(podUid) !== entry) await listener.close();
}

function close(uid: string, entry: RunningPod): void {
  running.delete(uid);
  entry.isGone = true;
  void entry.listener?.close();
}

/** As a kubelet: one read of the Secret, again until it is there. */
function identityOf(object: KubeObject, name: string): Promise<AdminIdentity> {
  const secret = adminSecretName(name, adminGenerationOf(object, name) ?? 0);
  const { namespace = '', ownerReferences = [] } = object.metadata;
  const key = `${namespace}/${secret}/${ownerReferences[0]?.uid ?? ''}`;
  const known = identities.get(key) ?? readIdentity(namespace, secret);
  identities.set(key, known);
  return known;
}

async function readIdentity(namespace: string, name: string): Promise<AdminIdentity> {
  for (;;) {
    try {
      const read = await secretLimit(() => api.get({ kind: 'Secret', namespace, name }));
      const { data = {} } = read as KubeObject & { readonly data?: Record<string, string> };
      const text = (field: string): string => Buffer.from(data[field] ?? '', 'base64').toString();
      const peers = parsePeers(text('peers.json'));
      if (!peers.ok) throw new Error(peers.message);
      return { key: text('tls.key'), certificate: text('tls.crt'), peers: peers.value.peers };
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(clock, RETRY_MS, signal);
    }
  }
}

/** Each pod closes a window once a window's time, spread over it. */
async function serve(): Promise<void> {
  const rows = createSyntheticTraffic([11, Number(part)]);
  let slot = 0;
  while (!signal.aborted) {
    const { rowsPerSecond, windowSeconds, drifting } = traffic;
    const slots = (windowSeconds * 1_000) / SLOT_MS;
    if (rowsPerSecond > 0) {
      const drifts = new Set(drifting);
      const entries = [...running.values()];
      for (let i = slot % slots; i < entries.length; i += slots) {
        const { service, pod } = entries[i]!;
        const count = Math.max(1, Math.round(rowsPerSecond * windowSeconds));
        pod.serve(rows.next(count, drifts.has(service)), windowSeconds);
      }
    }
    slot += 1;
    await sleep(clock, SLOT_MS, signal);
  }
}

/** While pushes are dropped, each pod reads its mount once a kubelet's time, spread over it. */
async function mount(): Promise<void> {
  const slots = MOUNT_MS / SLOT_MS;
  for (let slot = 0; !signal.aborted; slot += 1) {
    const entries = areDropped ? [...running.values()] : [];
    for (let i = slot % slots; i < entries.length; i += slots) readMount(entries[i]!);
    await sleep(clock, SLOT_MS, signal);
  }
}

function readMount({ service, pod }: RunningPod): void {
  const stored = policies.get(policyConfigMapName(service)) ?? null;
  const { data } = (stored ?? {}) as { readonly data?: Readonly<Record<string, string>> };
  const policy = data?.['policy.json'];
  if (policy === undefined) return;
  const bundle = mountedBundle(stored);
  pod.readMount(policy, bundle === null ? null : Buffer.from(bundle, 'base64'));
}

function report(): PodsReport {
  const lags = evidenceLagMs.sort((a, b) => a - b);
  const { connections, handshakes, calls } = counts;
  const told: PodsReport = {
    kind: 'Report',
    pods: [...running.values()].filter(({ listener }) => listener !== null).length,
    ...{ connections, handshakes, calls: Object.fromEntries(calls), evidenceLagMs: lags },
  };
  evidenceLagMs = [];
  counts.handshakes = 0;
  counts.calls = new Map();
  return told;
}

process.on('message', (message: ToPods) => {
  if (message.kind === 'Report') tell(report());
  else if (message.kind === 'Traffic') traffic = message;
  else ({ areDropped } = message);
});
// The benchmark is gone.
process.on('disconnect', () => process.exit(0));

const random = seededRandom([13, Number(part)]);
const pods = createReflector({
  ...{ api, kind: 'Pod', clock, random: () => random.uniform(), signal },
  select: { labelSelector: 'layercache.io/service,app.kubernetes.io/component=server' },
  trim: ({ apiVersion, kind, metadata, spec, status }) => ({
    ...{ apiVersion, kind, metadata, status },
    spec: { volumes: (spec as { readonly volumes?: unknown }).volumes },
  }),
});
pods.onKey(({ object, previous }) => {
  take(object, previous);
});
const policies = createReflector({
  ...{ api, kind: 'ConfigMap', clock, random: () => random.uniform(), signal },
  select: { labelSelector: 'layercache.io/service,layercache.io/role=policy' },
});
void Promise.all([pods.synced, policies.synced]).then(() => {
  tell({ kind: 'Ready' });
});
every(() => {
  if (applied.length === 0) return;
  tell({ kind: 'Applied', applied });
  applied = [];
}, TELL_MS);
await Promise.all([pods.run(), policies.run(), serve(), mount()]);
