import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { Policy, PolicyExit, PolicyTrack } from '../../crds/wire/policy.ts';
import { poisonBundle } from '../../operator/local/drills/poisoned-heads.ts';
import {
  applyPolicy,
  hostPidOf,
  pushBundle,
  stateOf,
  whenReady,
} from '../support/served-process.ts';
import { eventually } from '../support/eventually.ts';
import { spawnServer } from '../support/server-process.ts';
import { aPolicy, GOOD_CERTIFICATE, send } from '../support/test-server.ts';
import { examplePictures, OVERFLOWING, pictureBody } from './example-pictures.ts';
import { startTraffic, type PlayedTraffic } from './played-traffic.ts';
import { trainEachExit } from './trained-heads.ts';

const BACKBONE = resolve('server/examples/fashion-mnist/backbone.onnx');
const READY_MS = 60_000;

/** Pictures of each class to train on. */
const PICTURES = 40;
const BUDGET = 0.01;
/** Shares of the backbone's time at which the exits lie. */
const EXITS = { early: 0.3, late: 0.7 };

/** Rows leave when the score says 97 %, and any row whose score says half. */
const CAREFUL = 79;
const RECKLESS = 119;
/** A few rows in a hundred leave: less than heads cost on all of them, on any machine. */
const TIMID = 20;
/** Less than an engine is stalled for. */
const HURRY_MS = 300;
/** Together more rows than a queue holds (1024). */
const FLOOD_REQUESTS = 24;
const FLOOD_ROWS = 64;
/** Without a disagreement: enough for any number of attempts. */
const PROVEN_AUDITS = 100_000;

/** Two processes of the model server on loopback, as they ship, with the bundled example on the processor. */
export interface PlayedServers {
  readonly metricPorts: readonly number[];
  /** Traffic of a minute of the script. */
  readonly minute: PlayedTraffic['minute'];
  /** Samples of the example's pictures, and heads that the trainer makes of them. */
  train(): Promise<void>;
  /** Exits are run and do not answer. */
  shadow(): Promise<void>;
  /** Exits answer so few rows, each of them audited, that they cost more than they save. */
  waste(): Promise<void>;
  /** Exits answer, and few rows are audited. */
  calm(): Promise<void>;
  /** No engine computes until on each server a request has waited for so long. @param meanwhile once one waits */
  stall(waitMs: number, meanwhile?: () => Promise<void>): Promise<void>;
  /** Exits answer, and this share of the rows is audited. */
  audit(rate: number): Promise<void>;
  /** A request to the second server that gives up before a stalled engine computes again. */
  hurryOne(): Promise<void>;
  /** More rows than may wait. */
  flood(): Promise<void>;
  /** The policy that switches exits off reaches the first server alone. */
  switchOffOne(): Promise<void>;
  serve(): Promise<void>;
  /** Every kind of refusal that a client can provoke at once. */
  refuse(): Promise<void>;
  ramp(): Promise<void>;
  /** A policy that no server takes, and one that is too old. */
  pushBadPolicies(): Promise<void>;
  /** Heads come into force that are sure and wrong; again: under another certificate, so that the servers' own breakers begin anew. */
  readonly violate: () => Promise<void>;
  /** The heads that suit the traffic are back. */
  recover(): Promise<void>;
  switchOff(): Promise<void>;
  /** The engine process of the second server is killed; resolves when there is a new one. */
  killEngine(): Promise<void>;
  close(): Promise<void>;
}

export async function playServers(model: string): Promise<PlayedServers> {
  const started = [0, 1].map((i) =>
    spawnServer({
      LAYERCACHE_MODEL_NAME: model,
      LAYERCACHE_BACKBONE_URI: BACKBONE,
      LAYERCACHE_POD_UID: `pod-${i}`,
      LAYERCACHE_EXIT_WITH_STDIN: 'true',
    }),
  );
  const close = async (): Promise<void> => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(({ code }) => code));
  };
  try {
    const pods = await Promise.all(started.map((server) => whenReady(server, READY_MS)));
    return await playOn(model, pods, { pids: started.map(({ child }) => child.pid!), close });
  } catch (error) {
    await close();
    throw error;
  }
}

type Pods = readonly Awaited<ReturnType<typeof whenReady>>[];

async function playOn(
  model: string,
  pods: Pods,
  { pids, close }: { readonly pids: readonly number[]; readonly close: () => Promise<void> },
): Promise<PlayedServers> {
  const killed = pids[1]!;
  const { backbone, cuts } = await stateOf(pods[0]!.adminPort);
  const exits = Object.entries(EXITS).map(([name, share]): PolicyExit => {
    const distance = ({ msShare }: (typeof cuts)[number]): number => Math.abs(msShare - share);
    const { tensor } = cuts.reduce((best, cut) => (distance(cut) < distance(best) ? cut : best));
    return { name, tensor, mode: 'Active' };
  });
  const pictures = examplePictures(PICTURES).map((picture) => pictureBody(picture));
  const traffic = startTraffic(model, pods, pictures);
  let revision = 0;
  const policyWith = (more: Partial<Policy>): Policy =>
    aPolicy({
      ...{ model, exits, revision, backboneDigest: backbone.digest, budget: BUDGET },
      ...more,
    });
  const apply = async (more: Partial<Policy>, to = pods): Promise<void> => {
    revision++;
    for (const { adminPort } of to) {
      const { result, message } = await applyPolicy(adminPort, policyWith(more));
      if (result !== 'Applied') throw new Error(message);
    }
  };
  const track = (headRevision: string, lambdaIndex = CAREFUL, attempt = 1): PolicyTrack => ({
    ...{ headRevision, lambdaIndex, activeExits: Object.keys(EXITS) },
    certificate: {
      ...{ ...GOOD_CERTIFICATE, audits: PROVEN_AUDITS, attempt },
      backboneDigest: backbone.digest,
    },
  });
  let trained: HeadBundle | null = null;
  let mark = 0;
  /** Under a digest that no server has seen. */
  const push = async (change: (bundle: HeadBundle) => HeadBundle): Promise<string> => {
    if (trained === null) throw new Error('nothing is trained yet');
    const bundle = marked(change(trained), ++mark);
    const pushed = await Promise.all(pods.map(({ adminPort }) => pushBundle(adminPort, bundle)));
    return pushed[0]!;
  };
  const good = (): Promise<string> => push((bundle) => bundle);
  let stable = '';
  let wrong: string | null = null;
  let attempts = 0;
  const audit = (rate: number): Promise<void> => apply({ stable: track(stable), auditRate: rate });
  return {
    metricPorts: pods.map(({ metricsPort }) => metricsPort),
    minute: traffic.minute,
    train: async () => {
      await apply({ exitsEnabled: false, auditRate: 1 });
      await traffic.sendAll();
      const adminPorts = pods.map(({ adminPort }) => adminPort);
      trained = await trainEachExit(adminPorts, BUDGET);
      stable = await good();
    },
    shadow: () => apply({ stable: track(stable), exitsEnabled: false, auditRate: 1 }),
    waste: () => apply({ stable: track(stable, TIMID), auditRate: 1 }),
    stall: (waitMs, meanwhile) => stall({ pods, pids }, waitMs, meanwhile),
    audit,
    hurryOne: () =>
      askAll(model, pods.slice(1), { headers: { 'request-timeout': String(HURRY_MS / 1_000) } }),
    flood: () => askAll(model, pods, { requests: FLOOD_REQUESTS, rows: FLOOD_ROWS }),
    serve: () => audit(0.1),
    calm: () => audit(0.05),
    refuse: () => refuseAll(model, pods),
    ramp: async () => {
      const candidate = { ...track(await good()), share: 0.5, stage: 'Ramping' as const };
      await apply({ stable: track(stable), candidate, auditRate: 0.1 });
    },
    pushBadPolicies: async () => {
      for (const { adminPort } of pods) {
        const unknown = track(`sha256:${'f'.repeat(64)}`);
        const next = { revision: revision + 100, stable: unknown };
        await applyPolicy(adminPort, policyWith(next));
        await applyPolicy(adminPort, policyWith({ revision: 1, stable: track(stable) }));
      }
    },
    violate: async () => {
      wrong ??= await push((bundle) => poisonBundle({ bundle }).bundle);
      await apply({ stable: track(wrong, RECKLESS, ++attempts), auditRate: 0.2 });
    },
    recover: () => audit(0.1),
    switchOff: () => apply({ stable: track(stable), exitsEnabled: false, auditRate: 0.1 }),
    switchOffOne: () =>
      apply({ stable: track(stable), exitsEnabled: false, auditRate: 0.1 }, pods.slice(0, 1)),
    killEngine: async () => {
      const before = hostPidOf(killed);
      process.kill(before, 'SIGKILL');
      await eventually(async () => {
        const { status } = await send(pods[1]!.dataPort, '/v2/health/ready');
        if (status !== 200 || hostPidOf(killed) === before) throw new Error('no new engine yet');
      }, READY_MS);
    },
    close: async () => {
      await traffic.end();
      await close();
    },
  };
}

const NOTICED_MS = 10_000;

async function stall(
  { pods, pids }: { readonly pods: Pods; readonly pids: readonly number[] },
  waitMs: number,
  meanwhile?: () => Promise<void>,
): Promise<void> {
  const hosts = pids.map(hostPidOf);
  for (const host of hosts) process.kill(host, 'SIGSTOP');
  try {
    for (const { metricsPort } of pods) {
      await eventually(async () => {
        const page = (await send(metricsPort, '/metrics')).body.toString();
        const [, waiting] = /^layercache_requests_in_flight\S* (\d+)$/m.exec(page) ?? [];
        if (!(Number(waiting) > 0)) throw new Error('no request waits yet');
      }, NOTICED_MS);
    }
    await Promise.all([wait(waitMs), meanwhile?.()]);
  } finally {
    for (const host of hosts) goOn(host);
  }
}

/** One that was killed meanwhile needs it no more. */
function goOn(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The same request to every server, many at once. */
async function askAll(
  model: string,
  pods: Pods,
  {
    requests = 1,
    rows = 1,
    headers = {},
  }: {
    readonly requests?: number;
    readonly rows?: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const [picture] = examplePictures(1);
  const body = pictureBody(new Array<readonly number[]>(rows).fill([...picture!]).flat());
  const path = `/v2/models/${model}/infer`;
  const all = pods.flatMap((pod) => new Array<(typeof pods)[number]>(requests).fill(pod));
  await Promise.all(
    all.map(({ dataPort }) => send(dataPort, path, { method: 'POST', headers, body })),
  );
}

/** @param mark makes the digest of the file another one */
function marked(bundle: HeadBundle, mark: number): HeadBundle {
  return { ...bundle, training: { ...bundle.training, seed: mark } };
}

async function refuseAll(model: string, pods: Pods): Promise<void> {
  const [picture] = examplePictures(1);
  const body = pictureBody(picture!);
  const infer = `/v2/models/${model}/infer`;
  for (const { dataPort } of pods) {
    const post = (path: string, content: string, headers = {}): Promise<unknown> =>
      send(dataPort, path, { method: 'POST', headers, body: content });
    await post(infer, pictureBody(picture!, { parameters: { layercache_mode: 'backbone' } }));
    await post(infer, pictureBody(OVERFLOWING));
    await post(infer, '{');
    await post(infer, body.replace('FP32', 'INT8'));
    await post(infer, body.replace('[1,1,28,28]', '[1,1,28]'));
    await post(infer, body, { 'request-timeout': '0' });
    await post('/v2/models/other/infer', body);
    await post('/v1/models/other:predict', '{"instances": []}');
    await send(dataPort, infer);
    await send(dataPort, '/nowhere');
  }
}
