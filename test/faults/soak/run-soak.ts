// Services come, change, roll, grow and go, again and again, beside one that stays; all of them under open-loop load, with clients
// that crash. The operator, the control plane and every server are processes; only the node is played.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { KINDS, pathOf } from '../../../operator/kube/kinds.ts';
import {
  createObject,
  deleteObject,
  patchObject,
  readObject,
} from '../../cluster/pods/node-objects.ts';
import type { OwnControlPlane } from '../../support/control-plane.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { residualNet } from '../../support/onnx-models/networks.ts';
import { startOperatorProcess, type OperatorProcess } from '../../support/operator-process.ts';
import { growthOf, leaksOf, MOST_GROWTH, type Held, type Sample } from './judge-soak.ts';
import { operatorFigures, type OperatorFigures } from './operator-figures.ts';
import {
  createPodProcesses,
  type PodProcess,
  type PodProcesses,
} from '../../support/pod-processes.ts';
import { readMetricPage, takeSample, type Watched } from './take-sample.ts';

export interface SoakOptions {
  /** No cycle begins later. */
  readonly durationMs: number;
  /** A cycle takes at least so long. */
  readonly cycleMs: number;
  /** However long they take. */
  readonly leastCycles: number;
  readonly ratePerSecond: number;
  readonly say: (line: string) => void;
}

export interface SoakReport extends OperatorFigures {
  readonly hours: number;
  readonly cycles: number;
  readonly pods: number;
  readonly requests: number;
  readonly failures: readonly string[];
  readonly leftovers: readonly string[];
  /** By process. */
  readonly growth: Readonly<Record<string, Held>>;
  readonly leaks: readonly string[];
  readonly leaksOfControl: readonly string[];
}

const API = 'layercache.io/v1alpha1';
const PATIENCE_MS = 240_000;
const LOOK_MS = 500;
const SAMPLES_A_CYCLE = 3;
/** After a service is gone, before what is left is counted. */
const REST_MS = 2_000;
/** The control leaks twice of what is allowed over half a run. */
const CONTROL_FACTOR = 2;

export async function runSoak(plane: OwnControlPlane, options: SoakOptions): Promise<SoakReport> {
  const { name: namespace } = await plane.namespace();
  const model = await modelFile(residualNet());
  const operator = startOperatorProcess({
    LAYERCACHE_KUBECONFIG: plane.kubeconfigPath,
    LAYERCACHE_NAMESPACE: namespace,
    LAYERCACHE_RELEASE: 'soak',
    LAYERCACHE_WATCH_NAMESPACES: namespace,
    LAYERCACHE_SERVER_IMAGE: 'registry.test/server:1',
  });
  const control = await startControl(options);
  const ended = new AbortController();
  const pods = createPodProcesses({
    ...{ plane, namespace, lookMs: LOOK_MS, ratePerSecond: options.ratePerSecond },
    longestMs: 2 * options.durationMs + 600_000,
  });
  const running = pods.run(ended.signal);
  try {
    await operator.says('caches full', 60_000);
    const user = createUser(plane, namespace, model.path);
    const place = { plane, namespace, operator, control, pods, user };
    return await cycleThrough(place, options);
  } finally {
    ended.abort();
    operator.kill('SIGKILL');
    control.child.kill('SIGKILL');
    await Promise.all([running, operator.ended]);
    await model.remove();
  }
}

interface Place {
  readonly plane: OwnControlPlane;
  readonly namespace: string;
  readonly operator: OperatorProcess;
  readonly control: Control;
  readonly pods: PodProcesses;
  readonly user: User;
}

async function cycleThrough(place: Place, options: SoakOptions): Promise<SoakReport> {
  const { operator, pods, user } = place;
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const before = new Set(await objectsIn(place));
  await user.create('resident');
  await user.settled('resident', () => podsOf(pods, 'resident').length === 1);
  const watched = watchedIn(place);
  const samples: Record<string, Sample[]> = {};

  let cycles = 0;
  while (cycles < options.leastCycles || elapsedMs() < options.durationMs) {
    cycles += 1;
    const cycleStartedMs = performance.now();
    const crashing = await crashingClient(resident(pods).ip);
    await oneCycle(`churn-${cycles}`, cycles, place);
    crashing.kill('SIGKILL');
    await wait(Math.max(REST_MS, options.cycleMs - (performance.now() - cycleStartedMs)));
    for (let i = 0; i < SAMPLES_A_CYCLE; i += 1) {
      for (const [name, one] of Object.entries(watched))
        (samples[name] ??= []).push(await takeSample(one));
      await wait(LOOK_MS);
    }
    options.say(`${Math.round(elapsedMs() / 1_000)} s, cycle ${cycles}: ${toText(samples)}`);
  }

  await user.remove('resident');
  await user.gone('resident', pods);
  const hours = elapsedMs() / 3_600_000;
  const page = await readMetricPage(pageOf(operator));
  const leftovers = [
    ...pods.leftovers,
    ...(await objectsIn(place)).filter((name) => !before.has(name)),
    ...[...page.series.keys()].filter((key) => /"(?:churn-\d+|resident)"/.test(key)),
  ];
  return {
    ...{ hours, cycles, leftovers, pods: pods.started(), requests: pods.requests() },
    failures: pods.failures,
    ...operatorFigures(page),
    ...judge(samples),
  };
}

function judge({
  control = [],
  ...others
}: Readonly<Record<string, readonly Sample[]>>): Pick<
  SoakReport,
  'growth' | 'leaks' | 'leaksOfControl'
> {
  const taken = Object.entries(others);
  return {
    growth: Object.fromEntries(taken.map(([name, samples]) => [name, growthOf(samples)])),
    leaks: taken.flatMap(([name, samples]) =>
      leaksOf(samples).map((holding) => `${name}: ${holding}`),
    ),
    leaksOfControl: leaksOf(control),
  };
}

function pageOf(operator: OperatorProcess): string {
  return `http://127.0.0.1:${operator.port()}/metrics`;
}

/** The server of the service that stays. */
function resident(pods: PodProcesses): PodProcess {
  const [pod] = podsOf(pods, 'resident');
  if (pod === undefined) throw new Error('the resident service has no pod');
  return pod;
}

/** Processes that live as long as the run. */
function watchedIn({ operator, pods, control }: Place): Readonly<Record<string, Watched>> {
  const { pid, hostPid, ip } = resident(pods);
  return {
    operator: { pid: operator.pid, page: pageOf(operator) },
    server: { pid, page: `http://${ip}:9090/metrics` },
    'engine host': { pid: hostPid, page: null },
    control: { pid: control.child.pid ?? 0, page: control.page },
  };
}

/** Created, changed without a roll, rolled, grown, and deleted. */
async function oneCycle(name: string, cycle: number, { user, pods }: Place): Promise<void> {
  const mine = () => podsOf(pods, name);
  await user.create(name);
  await user.settled(name, () => mine().length === 1);
  const batching = { maxQueueLength: 100 + cycle };
  for (const each of [name, 'resident']) await user.patch(each, { server: { batching } });
  for (const each of [name, 'resident']) await user.settled(each);
  const [first] = mine();
  await user.patch(name, { server: { warmup: { iterations: 1 } } });
  await user.settled(name, () => mine().length === 1 && mine()[0]?.pid !== first?.pid);
  await user.patch(name, { replicas: 2 });
  await user.settled(name, () => mine().length === 2);
  await user.remove(name);
  await user.gone(name, pods);
}

function podsOf(pods: PodProcesses, service: string) {
  return pods.ready().filter((pod) => pod.service === service);
}

interface User {
  create(name: string): Promise<void>;
  patch(name: string, spec: object): Promise<void>;
  remove(name: string): Promise<void>;
  /** Until its status is about its last spec, every pod is ready and has the policy, and `more` holds. */
  settled(name: string, more?: () => boolean): Promise<void>;
  /** Until nothing of it is there. */
  gone(name: string, pods: PodProcesses): Promise<void>;
}

interface Service {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const SETTLED = ['Ready', 'PolicyApplied'];
const CHILDREN = ['Pod', 'ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'Deployment'] as const;

function createUser(plane: OwnControlPlane, namespace: string, modelPath: string): User {
  const service = (name: string) => ({ kind: 'CachedModelService', namespace, name }) as const;
  /** Each look is a request: half a second apart. */
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (!(await holds())) {
      if (performance.now() > untilMs) {
        throw new Error(
          `${what}, and has not after ${PATIENCE_MS} ms\n${await plane.dump(namespace)}`,
        );
      }
      await wait(LOOK_MS);
    }
  }
  const children = [
    ...CHILDREN.map((kind) => pathOf(KINDS[kind], { namespace })),
    `/apis/apps/v1/namespaces/${namespace}/replicasets`,
  ];
  return {
    create: async (name) => {
      await createObject(plane, {
        ...{ apiVersion: API, kind: 'CachedModelService', metadata: { name, namespace } },
        spec: {
          backbone: { uri: `file://${modelPath}` },
          accuracy: { maxDisagreement: '1%' },
          server: { drain: { delay: '1s', timeout: '5s' } },
          podTemplate: { spec: { containers: [{ name: 'server', env: FEW_SAMPLES }] } },
        },
      });
    },
    patch: (name, spec) => patchObject(plane, service(name), { spec }),
    remove: (name) => deleteObject(plane, service(name)),
    settled: (name, more = () => true) =>
      until(`${name} was to settle`, async () => {
        const { metadata, status = {} } = await readObject<Service>(plane, service(name));
        const { observedGeneration, conditions = [] } = status;
        const isTrue = (type: string): boolean =>
          conditions.some((one) => one.type === type && one.status === 'True');
        return observedGeneration === metadata.generation && SETTLED.every(isTrue) && more();
      }),
    gone: (name, pods) =>
      until(`${name} was to be gone`, async () => {
        if (podsOf(pods, name).length > 0) return false;
        for (const kind of children) {
          const selected = `${kind}?labelSelector=layercache.io/service%3D${name}`;
          const { items } = (await plane.request({ path: selected })).body as { items: unknown[] };
          if (items.length > 0) return false;
        }
        return true;
      }),
  };
}

/** Every object of every kind in the namespace, except events, which end by age. */
async function objectsIn({ plane, namespace }: Place): Promise<string[]> {
  const kubectl = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await plane.kubectl(args);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim().split('\n');
  };
  const kinds = await kubectl('api-resources', '--verbs=list', '--namespaced', '-o', 'name');
  const wanted = kinds.filter((kind) => !kind.startsWith('events')).join(',');
  return kubectl('get', wanted, '-n', namespace, '-o', 'name', '--ignore-not-found');
}

interface Control {
  readonly child: ChildProcess;
  readonly page: string;
}

/** Samples fill 256 MiB in the course of hours: what grows in here shall be a leak. */
const FEW_SAMPLES = [{ name: 'LAYERCACHE_SAMPLE_MEMORY', value: '1Mi' }];

function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function startControl({ durationMs }: SoakOptions): Promise<Control> {
  const perSecond = (holding: keyof Held): string =>
    String((CONTROL_FACTOR * MOST_GROWTH[holding]) / (durationMs / 2_000));
  const rates = (['mebibytes', 'handles', 'series'] as const).map(perSecond);
  const { child, said } = await startHelper('leaking-process.mjs', rates);
  return { child, page: `http://127.0.0.1:${said.trim()}/` };
}

async function crashingClient(ip: string): Promise<ChildProcess> {
  const path = '/v2/models/resident/infer';
  return (await startHelper('crashing-client.mjs', [ip, '8080', path])).child;
}

/** Resolves with its first words. It dies with the tests, however these end. */
async function startHelper(
  name: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const words = ['--pdeathsig', 'KILL', '--', process.execPath, program(name), ...args];
  const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString() };
}

function toText(samples: Readonly<Record<string, readonly Sample[]>>): string {
  return Object.entries(samples)
    .map(([name, taken]) => {
      const { mebibytes = NaN, handles = NaN, series = NaN } = taken.at(-1) ?? {};
      return `${name} ${mebibytes.toFixed(0)} MiB, ${handles} handles, ${series} series`;
    })
    .join('; ');
}
