import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { StartedServer } from './server-process.ts';
import {
  applyPolicy,
  describedModel,
  hostPidOf,
  policyFor,
  pushBundle,
  rssOf,
  stateOf,
  whenReady,
} from './served-process.ts';
import { aBundle } from './onnx-models/random-head.ts';
import { seededRandom } from './seeded-random.ts';
import { INFER, send } from './test-server.ts';

export interface SwapRun {
  readonly requests: number;
  /** What was not answered as it had to be: a refusal, or an answer of other heads than its policy names. */
  readonly failures: readonly string[];
  /** Acknowledgements that were no plain Applied. */
  readonly refusals: readonly string[];
  /** One figure after each swap, in bytes. */
  readonly hostRss: readonly number[];
  readonly mainRss: readonly number[];
  /** What the engine holds when all is idle: before the swaps, and after. */
  readonly before: Held;
  readonly after: Held;
}

export interface Held {
  readonly activations: number;
  readonly plans: number;
}

const CALLERS = 8;
const DISTINCT_ROWS = 16;
const ROW_VALUES = 3 * 16 * 16;

/** One row of the residual net as a binary request. `first` replaces its first number. */
export function rowRequest(
  seed: number,
  first?: number,
): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const random = seededRandom(seed);
  const values = Float32Array.from({ length: ROW_VALUES }, () => random.normal());
  if (first !== undefined) values[0] = first;
  const header = JSON.stringify({
    inputs: [
      {
        name: 'input',
        shape: [1, 3, 16, 16],
        datatype: 'FP32',
        parameters: { binary_data_size: values.byteLength },
      },
    ],
  });
  return {
    body: Buffer.concat([Buffer.from(header), Buffer.from(values.buffer)]),
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(header.length),
    },
  };
}

interface Answer {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}

/** Two head bundles take turns while callers ask without a pause; every answer is compared with what its heads said of its row. */
export async function runSwaps(
  started: StartedServer,
  { swaps, fault }: { readonly swaps: number; readonly fault?: number },
): Promise<SwapRun> {
  const { dataPort, adminPort, metricsPort } = await whenReady(started);
  const model = describedModel(await stateOf(adminPort));
  const bundles = [9, 90].map((seed) =>
    aBundle(
      model,
      [
        { tensor: 'stem', intercept: -50 },
        { tensor: 'block1', intercept: 50 },
      ],
      seed,
    ),
  );
  const revisions = await Promise.all(bundles.map((bundle) => pushBundle(adminPort, bundle)));
  const rows = Array.from({ length: DISTINCT_ROWS }, (_, i) => rowRequest(i));
  const ask = async (row: (typeof rows)[number]): Promise<Answer> => {
    const answer = await send(dataPort, INFER, { method: 'POST', ...row });
    const text = answer.body.toString();
    if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
    return JSON.parse(text) as Answer;
  };
  let revision = 0;
  async function swap(): Promise<string | null> {
    revision += 1;
    const place = revision % 2;
    const bundle: HeadBundle = bundles[place]!;
    const ack = await applyPolicy(adminPort, policyFor(bundle, revisions[place]!, revision));
    return ack.result === 'Applied' && ack.reason === '' ? null : `${ack.reason}: ${ack.message}`;
  }
  const expected: (readonly number[])[][] = [[], []];
  for (const place of [1, 0]) {
    await swap();
    for (const row of rows) expected[place]!.push((await ask(row)).outputs[0]!.data);
  }
  if (fault !== undefined) await ask(rowRequest(0, fault));

  const before = await heldWhenIdle(metricsPort);
  const failures: string[] = [];
  let requests = 0;
  let isOver = false;
  function check({ parameters, outputs }: Answer, row: number): void {
    const place = Number(String(parameters.layercache_policy).split('.')[1]) % 2;
    const isRight =
      parameters.layercache_exit === 'exit-block1' &&
      parameters.layercache_head_revision === revisions[place] &&
      outputs[0]!.data.every((value, i) => Math.abs(value - expected[place]![row]![i]!) < 1e-4);
    if (!isRight) failures.push(`row ${row}: ${JSON.stringify(parameters)}`);
  }
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let i = caller; !isOver; i += CALLERS - 1) {
      const row = i % DISTINCT_ROWS;
      requests += 1;
      try {
        check(await ask(rows[row]!), row);
      } catch (error) {
        failures.push(String(error));
      }
    }
  });
  const mainPid = started.child.pid!;
  const hostPid = hostPidOf(mainPid);
  const refusals: string[] = [];
  const hostRss: number[] = [];
  const mainRss: number[] = [];
  for (let i = 0; i < swaps; i += 1) {
    const refusal = await swap();
    if (refusal !== null) refusals.push(refusal);
    hostRss.push(rssOf(hostPid));
    mainRss.push(rssOf(mainPid));
  }
  isOver = true;
  await Promise.all(callers);
  const after = await heldWhenIdle(metricsPort);
  return { requests, failures, refusals, hostRss, mainRss, before, after };
}

/** Reads, a tenth of a second apart, in which nothing may change: the host tells once a second. */
const STILL_READS = 30;

/** What the host holds once nothing is under way and it has said so. */
async function heldWhenIdle(metricsPort: number): Promise<Held> {
  let held: Held = { activations: NaN, plans: NaN };
  for (let still = 0; still < STILL_READS; still += 1) {
    const page = (await send(metricsPort, '/metrics')).body.toString();
    const value = (name: string): number =>
      Number(new RegExp(`^layercache_engine_${name}\\{.*\\} (\\S+)$`, 'm').exec(page)?.[1]);
    const now: Held = { activations: value('activations'), plans: value('plans') };
    const isHeard = value('memory_bytes') > 0;
    if (!isHeard || now.activations !== held.activations || now.plans !== held.plans) still = 0;
    held = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return held;
}

/** Bytes per swap that the typical figure of the last quarter is above that of the quarter before it. */
export function growthOf(rss: readonly number[]): number {
  const quarter = Math.floor(rss.length / 4);
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return (median(rss.slice(-quarter)) - median(rss.slice(-2 * quarter, -quarter))) / quarter;
}
