// Whether exits pay on a card: the product's own engine host on a network of ResNet-50's size, every copy between card and host in the
// elapsed time. Conformance first: what is wrong is not measured.
import { fileURLToPath } from 'node:url';
import { createEngineClient } from '../../../server/engine/client.ts';
import {
  RowFlag,
  type EngineClient,
  type RowAnswer,
} from '../../../server/engine/engine-client.ts';
import type { ModelDescription } from '../../../server/engine/segment-engine.ts';
import { createRandom } from '../../../server/core/random.ts';
import { aBundle } from '../../support/onnx-models/random-head.ts';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { quantile } from '../median.ts';
import { writeModel } from '../served-model.ts';
import { findCards } from './cards.ts';
import { randomResNet50, STAGE_ENDS } from './resnet-50.ts';

const HOST = fileURLToPath(new URL('./engine-host.mjs', import.meta.url));
const SECTION = 'gpu';
const SIZES = [1, 8, 32] as const;
const LARGEST = 32;
/** Of images; small ones where only the measurement is tried. */
const SIDE = 224;
const TRIAL_SIDE = 64;
/** Batches at once where it is saturated: one runs, one waits. */
const IN_FLIGHT = 2;
/** Of rows, which leave at the first exit; the others run to the end. */
const SHARE_LEAVING = 0.6;
const ROUNDS = 30;
const QUICK_ROUNDS = 2;
const GOAL = 0.2;
/** Between a card and processors, and between segments and the whole (server.md). */
const CLOSE = 1e-3;

interface GpuBenchOptions {
  /** The same on processors, to try the measurement itself where there is no card. */
  readonly onProcessors: boolean;
  readonly quick: boolean;
}

export async function measureGpu({ onProcessors, quick }: GpuBenchOptions): Promise<Figure[]> {
  const cards = onProcessors ? { ok: true as const, names: 'processors' } : findCards();
  if (!cards.ok) {
    process.stdout.write(`${cards.why}: nothing was measured\n`);
    return [];
  }
  process.stdout.write(`${cards.names}\n`);
  const side = onProcessors ? TRIAL_SIDE : SIDE;
  const file = writeModel(randomResNet50(1, side));
  const open = (device: 'CPU' | 'GPU') => openHost(file.path, device);
  const host = await open(onProcessors ? 'CPU' : 'GPU');
  try {
    const rounds = quick ? QUICK_ROUNDS : ROUNDS;
    const bench = await prepare(host, rounds);
    const figures: Figure[] = [];
    const reference = await open('CPU');
    try {
      figures.push(await conformance(bench, await prepare(reference, rounds)));
    } finally {
      await reference.client.close();
    }
    for (const rows of SIZES) figures.push(...(await netTime(bench, rows, 1)));
    figures.push(...(await netTime(bench, LARGEST, IN_FLIGHT)));
    return figures;
  } finally {
    await host.client.close();
    file.remove();
  }
}

interface OpenHost {
  readonly client: EngineClient;
  readonly model: ModelDescription;
}

async function openHost(path: string, device: 'CPU' | 'GPU'): Promise<OpenHost> {
  // The host inherits it.
  process.env.LAYERCACHE_DEVICE = device;
  const source = { path, outputName: null, digest: null };
  const client = createEngineClient({ hostScript: HOST, source, engine: 'ONNX', threads: 1 });
  const { model, engine } = await client.start();
  if (engine.device !== device.toLowerCase()) {
    throw new Error(`the engine runs on ${engine.device}, not on ${device}`);
  }
  return { client, model };
}

interface Bench {
  readonly client: EngineClient;
  readonly rounds: number;
  readonly input: Uint8Array;
  /** Plans whose heads let all rows go at the first exit, and none at any. */
  readonly leaving: number;
  readonly staying: number;
}

async function prepare({ client, model }: OpenHost, rounds: number): Promise<Bench> {
  const planOf = async (intercept: number): Promise<number> => {
    const heads = STAGE_ENDS.map((tensor) => ({ tensor, intercept }));
    const bundle = aBundle(model, heads);
    const { planId } = await client.prepare({
      tracks: [
        {
          ...{ track: 'stable', headRevision: `sha256:bench${intercept}`, bundle, lambdaIndex: 60 },
          activeExits: bundle.heads.map(({ exit }) => exit),
        },
      ],
      samples: [],
    });
    return planId;
  };
  const random = createRandom(5);
  const [input] = model.inputs;
  const rowSize = (input?.shape ?? []).slice(1).reduce((product, extent) => product * extent, 1);
  const size = LARGEST * rowSize;
  const values = Float32Array.from({ length: size }, () => random.normal());
  return {
    ...{ client, rounds, input: new Uint8Array(values.buffer) },
    ...{ leaving: await planOf(50), staying: await planOf(-50) },
  };
}

interface Batch {
  readonly planId: number;
  readonly rows: number;
  readonly flags?: Uint8Array;
}

async function run(bench: Bench, batch: Batch): Promise<readonly RowAnswer[]> {
  const { planId, rows, flags = new Uint8Array(rows) } = batch;
  const rowBytes = bench.input.length / LARGEST;
  const input = [bench.input.subarray(0, rows * rowBytes)];
  const answers: RowAnswer[] = [];
  await bench.client.run({ planId, rows, datatype: 'FP32', input, flags }, (some) => {
    answers.push(...some);
  });
  return answers.sort((a, b) => a.row - b.row);
}

/** Cut in four, whole, and on processors: one answer. */
async function conformance(bench: Bench, reference: Bench): Promise<Figure> {
  const rows = 4;
  const whole = { rows, flags: new Uint8Array(rows).fill(RowFlag.BackboneOnly) };
  const expected = await run(reference, { planId: reference.staying, ...whole });
  const found = [
    ...(await run(bench, { planId: bench.staying, rows })),
    ...(await run(bench, { planId: bench.staying, ...whole })),
  ];
  const away = found.map(({ row, outputs }) => distance(outputs[0], expected[row]?.outputs[0]));
  return atMost({ section: SECTION, name: 'farthest from processors' }, Math.max(...away), CLOSE);
}

/** Largest difference, in parts of the largest value. */
function distance(
  found: Float32Array = new Float32Array(0),
  expected: Float32Array = new Float32Array(1),
): number {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const away = expected.map((value, index) => Math.abs(value - (found[index] ?? Infinity)));
  return Math.max(...away) / scale;
}

async function netTime(bench: Bench, rows: number, inFlight: number): Promise<Figure[]> {
  const plain = new Uint8Array(rows).fill(RowFlag.BackboneOnly);
  const kept = Math.round(rows * (1 - SHARE_LEAVING));
  const mixed = Uint8Array.from({ length: rows }, (_, row) =>
    row < kept ? RowFlag.BackboneOnly : 0,
  );
  const { leaving, staying } = bench;
  const batches = {
    plain: { planId: staying, rows, flags: plain },
    staying: { planId: staying, rows },
    leaving: { planId: leaving, rows },
    mixed: { planId: leaving, rows, flags: mixed },
  };
  const ms = await inTurns(bench, batches, inFlight);
  // Alone, a row leaves or stays; in a batch, those that stay are compacted.
  const withExits =
    rows === 1 ? SHARE_LEAVING * ms.leaving + (1 - SHARE_LEAVING) * ms.staying : ms.mixed;
  const where = `${rows} rows${inFlight > 1 ? ', saturated' : ''}`;
  const place = (name: string, unit = '') => ({
    section: SECTION,
    name: `${where}: ${name}`,
    unit,
  });
  const saved = 1 - withExits / ms.plain;
  const percent = `${Math.round(SHARE_LEAVING * 100)} % leave at the first exit`;
  const net = place(`net time saved where ${percent}`);
  return [
    seen(place('plain', 'ms'), ms.plain),
    seen(place('cuts and heads where none leaves, of plain'), ms.staying / ms.plain - 1),
    seen(place('all leave at the first exit, of plain'), ms.leaving / ms.plain),
    rows === 1 ? atLeast(net, saved, GOAL) : seen(net, saved),
    seen(place('exits pay (0: off, as NotWorthwhile says)'), saved > 0 ? 1 : 0),
  ];
}

/** Elapsed milliseconds of a batch of each kind, their lower quartile; in turns, so that all meet the same machine. */
async function inTurns<Kind extends string>(
  bench: Bench,
  batches: Readonly<Record<Kind, Batch>>,
  inFlight: number,
): Promise<Readonly<Record<Kind, number>>> {
  const taken = new Map<string, number[]>();
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const [kind, batch] of Object.entries<Batch>(batches)) {
      const start = performance.now();
      await Promise.all(Array.from({ length: inFlight }, () => run(bench, batch)));
      const each = (performance.now() - start) / inFlight;
      // The first of each is warm-up.
      if (round > 0) taken.set(kind, [...(taken.get(kind) ?? []), each]);
    }
  }
  const typical = [...taken].map(([kind, all]) => [kind, quantile(all, 0.25)]);
  return Object.fromEntries(typical) as Record<Kind, number>;
}
