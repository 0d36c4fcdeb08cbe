// Whether exits pay on a card: the product's own engine host on a network of ResNet-50's size, every copy between card and host in the
// elapsed time. Conformance first: what is wrong is not measured.
import { fileURLToPath } from 'node:url';
import { CutEngine, NO_PAUSE } from '../../../server/engine/backbone/cut-engine.ts';
import { OnnxRuntime } from '../../../server/engine/onnx/onnx-runtime.ts';
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
import { cardMemoryMib, findCards } from './cards.ts';
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
/** Of each size, and before them those that are not counted: code that is new runs slowly. */
const ROUNDS: Readonly<Record<number, number>> = { 1: 300, 8: 100, 32: 50 };
const WARM_UP = 20;
const QUICK_ROUNDS = 2;
const GOAL = 0.2;
/** One exit, where it saves most: each more is paid by every row that stays. */
const FIRST = STAGE_ENDS.slice(0, 1);
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
  const started = performance.now();
  const host = await openHost(file.path, onProcessors ? 'CPU' : 'GPU');
  try {
    const ready = performance.now();
    const bench = await prepare(host, quick);
    const figures: Figure[] = [
      seen(
        { section: SECTION, name: 'model opened and measured', unit: 's' },
        (ready - started) / 1000,
      ),
      seen(
        { section: SECTION, name: 'three plans prepared', unit: 's' },
        (performance.now() - ready) / 1000,
      ),
      await conformance(bench, file.path),
    ];
    for (const rows of SIZES) figures.push(...(await netTime(bench, rows, 1)));
    for (const rows of [1, LARGEST]) figures.push(...(await netTime(bench, rows, IN_FLIGHT)));
    if (!onProcessors) {
      figures.push(
        seen({ section: SECTION, name: 'memory of the card in use', unit: 'MiB' }, cardMemoryMib()),
      );
    }
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
  readonly quick: boolean;
  readonly input: Uint8Array;
  /** Plans with the first exit, whose head lets all rows go, or none. */
  readonly leaving: number;
  readonly staying: number;
  /** Through all exits, and out at none. */
  readonly through: number;
}

async function prepare({ client, model }: OpenHost, quick: boolean): Promise<Bench> {
  const planOf = async (intercept: number, ends: readonly string[]): Promise<number> => {
    const heads = ends.map((tensor) => ({ tensor, intercept }));
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
    ...{ client, quick, input: new Uint8Array(values.buffer) },
    ...{ leaving: await planOf(50, FIRST), staying: await planOf(-50, FIRST) },
    through: await planOf(-50, STAGE_ENDS),
  };
}

interface Batch {
  readonly planId: number;
  readonly rows: number;
  readonly flags?: Uint8Array;
}

interface Ran {
  readonly answers: readonly RowAnswer[];
  /** Of segments with the heads at their ends, in the engine itself. */
  readonly engineMs: number;
}

async function run(bench: Bench, batch: Batch): Promise<Ran> {
  const { planId, rows, flags = new Uint8Array(rows) } = batch;
  const input = [inputOf(bench, rows)];
  const answers: RowAnswer[] = [];
  const request = { planId, rows, datatype: 'FP32', input, flags } as const;
  const { segments } = await bench.client.run(request, (some) => {
    answers.push(...some);
  });
  return {
    answers: answers.sort((a, b) => a.row - b.row),
    engineMs: segments.reduce((sum, { ms }) => sum + ms, 0),
  };
}

function inputOf({ input }: Bench, rows: number): Uint8Array {
  return input.subarray(0, rows * (input.length / LARGEST));
}

/** Cut in four, whole, and on processors in this process: one answer. */
async function conformance(bench: Bench, path: string): Promise<Figure> {
  const rows = 4;
  const whole = { rows, flags: new Uint8Array(rows).fill(RowFlag.BackboneOnly) };
  const through = await run(bench, { planId: bench.through, rows });
  const found = [
    ...through.answers,
    ...(await run(bench, { planId: bench.staying, ...whole })).answers,
  ];
  const expected = await onProcessorsHere(path, inputOf(bench, rows), rows);
  const size = expected.length / rows;
  const away = found.map(({ row, outputs }) =>
    distance(outputs[0], expected.subarray(row * size, (row + 1) * size)),
  );
  return atMost({ section: SECTION, name: 'farthest from processors' }, Math.max(...away), CLOSE);
}

/** [rows, classes] of the whole backbone. */
async function onProcessorsHere(
  path: string,
  input: Uint8Array,
  rows: number,
): Promise<Float32Array> {
  const engine = new CutEngine(new OnnxRuntime(1, 'cpu'), NO_PAUSE);
  try {
    await engine.open({ path, outputName: null, digest: null });
    const plan = await engine.plan([], []);
    const [outputs] = await engine.output(
      plan,
      engine.upload(new Float32Array(input.slice().buffer), rows),
    );
    return outputs ?? new Float32Array(0);
  } finally {
    await engine.close();
  }
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
  const { ms, engineMs } = await inTurns(bench, batches, inFlight);
  const where = `${rows} rows${inFlight > 1 ? ', saturated' : ''}`;
  const place = (name: string, unit = '') => ({
    section: SECTION,
    name: `${where}: ${name}`,
    unit,
  });
  const saved = netSaving(ms, rows);
  const percent = `${Math.round(SHARE_LEAVING * 100)} % leave at the first exit`;
  const net = place(`net time saved where ${percent}`);
  return [
    seen(place('plain', 'ms'), ms.plain),
    seen(place('cuts and heads where none leaves, of plain'), ms.staying / ms.plain - 1),
    seen(place('all leave at the first exit, of plain'), ms.leaving / ms.plain),
    rows === 1 && inFlight === 1 ? atLeast(net, saved, GOAL) : seen(net, saved),
    seen(place('exits pay (0: off, as NotWorthwhile says)'), saved > 0 ? 1 : 0),
    seen(place('plain, in the engine alone', 'ms'), engineMs.plain),
    seen(place('net time saved in the engine alone'), netSaving(engineMs, rows)),
  ];
}

type Times = Readonly<Record<'plain' | 'leaving' | 'staying' | 'mixed', number>>;

/** Alone, a row leaves or stays; in a batch, those that stay are compacted. */
function netSaving({ plain, leaving, staying, mixed }: Times, rows: number): number {
  const withExits = rows === 1 ? SHARE_LEAVING * leaving + (1 - SHARE_LEAVING) * staying : mixed;
  return 1 - withExits / plain;
}

/**
 * Milliseconds of a batch of each kind, their lower quartile, in turns, so that all meet the same machine: from the batch in the server's
 * process to its last answer there, and in the engine.
 */
async function inTurns<Kind extends string>(
  bench: Bench,
  batches: Readonly<Record<Kind, Batch>>,
  inFlight: number,
): Promise<Readonly<Record<'ms' | 'engineMs', Readonly<Record<Kind, number>>>>> {
  const taken = new Map<string, { readonly ms: number; readonly engineMs: number }[]>();
  const rounds = bench.quick ? QUICK_ROUNDS : (ROUNDS[rowsOf(batches)] ?? 0);
  const warmUp = bench.quick ? 1 : WARM_UP;
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (const [kind, batch] of Object.entries<Batch>(batches)) {
      const start = performance.now();
      const ran = await Promise.all(Array.from({ length: inFlight }, () => run(bench, batch)));
      const ms = (performance.now() - start) / inFlight;
      const engineMs = ran.reduce((sum, one) => sum + one.engineMs, 0) / inFlight;
      if (round >= warmUp) taken.set(kind, [...(taken.get(kind) ?? []), { ms, engineMs }]);
    }
  }
  const typical = (of: 'ms' | 'engineMs') =>
    Object.fromEntries(
      [...taken].map(([kind, all]) => [
        kind,
        quantile(
          all.map((one) => one[of]),
          0.25,
        ),
      ]),
    ) as Record<Kind, number>;
  return { ms: typical('ms'), engineMs: typical('engineMs') };
}

function rowsOf(batches: Readonly<Record<string, Batch>>): number {
  return Object.values(batches)[0]?.rows ?? 0;
}
