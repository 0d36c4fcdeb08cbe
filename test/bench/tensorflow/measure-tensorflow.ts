// Native TensorFlow as an engine against TensorFlow in Python and against wasm, on the example: processor milliseconds per row of one
// thread, in turns, so that a busy machine meets all of them.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { traceFlow } from '../../../server/core/graph/graph-flow.ts';
import { createBusyClock } from '../../../server/engine/busy-clock.ts';
import type { SegmentEngine } from '../../../server/engine/segment-engine.ts';
import { cutGraph, SEGMENT_INPUT } from '../../../server/engine/tensorflow/cut-graph.ts';
import { freezeGraphModel } from '../../../server/engine/tensorflow/frozen-graph.ts';
import { savedModel } from '../../../server/engine/tensorflow/node-def.ts';
import { createTensorFlowEngine } from '../../../server/engine/tensorflow/tensorflow-engine.ts';
import { loadFiles } from '../../../server/engine/tfjs/load-files.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { atMost, seen, type Figure } from '../figure.ts';
import { quantile } from '../median.ts';
import { pythonEnvironment } from '../server/python-environment.ts';

const MODEL = fileURLToPath(
  new URL('../../server/examples/fashion-mnist/tfjs_graph_model/model.json', import.meta.url),
);
const SCRIPT = fileURLToPath(new URL('../../test/bench/tensorflow/session.py', import.meta.url));
const PACKAGES = ['tensorflow-cpu==2.19.1'];
const SOURCE = { path: MODEL, outputName: null, digest: null };
const ROW = [28, 28, 1];
const ROUNDS = 5;
const SIZES = [1, 8, 32];
/** Runs per round and row count; wasm takes several times as long. */
const RUNS: Readonly<Record<string, number>> = { native: 160, python: 160, wasm: 32 };

/** Processor milliseconds of each run. */
type Runner = (rows: number, runs: number) => Promise<readonly number[]>;

export async function measureTensorFlow(): Promise<Figure[]> {
  if (engineFolder === null) return leftOut('layercache engines install comes first');
  const environment = pythonEnvironment('tensorflow', PACKAGES);
  if (!environment.ok) return leftOut(environment.why);
  const python = await startPython(environment.python);
  const engines = { native: createTensorFlowEngine(engineFolder), wasm: createTfjsEngine('wasm') };
  try {
    const runners = {
      native: await engineRunner(engines.native),
      python: python.run,
      wasm: await engineRunner(engines.wasm),
    };
    const figures: Figure[] = [];
    for (const rows of SIZES) figures.push(...(await compare(runners, rows)));
    return figures;
  } finally {
    python.stop();
    await engines.native.close();
    await engines.wasm.close();
  }
}

function leftOut(why: string): Figure[] {
  process.stdout.write(`tensorflow is left out: ${why}\n`);
  return [];
}

async function compare(runners: Readonly<Record<string, Runner>>, rows: number): Promise<Figure[]> {
  const taken = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(runners)) {
      const ms = await run(rows, Math.max(3, Math.ceil((RUNS[name] ?? 1) / rows)));
      // The first of a turn finds the caches full of others.
      taken.set(name, [...(taken.get(name) ?? []), ...ms.slice(1)]);
    }
  }
  const perRow = (name: string): number => quantile(taken.get(name) ?? [], 0.25) / rows;
  const place = (name: string, unit: string) => ({
    section: 'tensorflow',
    name: `${name}, ${rows} rows`,
    unit,
  });
  return [
    seen(place('tfjs-node, rows per processor second', '/s'), 1000 / perRow('native')),
    atMost(place('tfjs-node / TensorFlow in Python', ''), perRow('native') / perRow('python'), 1.1),
    seen(place('tfjs-wasm / tfjs-node', ''), perRow('wasm') / perRow('native')),
  ];
}

async function engineRunner(engine: SegmentEngine): Promise<Runner> {
  await engine.open(SOURCE);
  const plan = await engine.plan([]);
  const busyMs = createBusyClock();
  return async (rows, runs) => {
    const input = new Float32Array(rows * 784).fill(0.3);
    const ms: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const start = busyMs();
      await engine.output(plan, engine.upload(input, rows));
      ms.push(busyMs() - start);
    }
    return ms;
  };
}

async function startPython(python: string): Promise<{ run: Runner; stop: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-bench-'));
  const file = join(folder, 'saved_model.pb');
  const frozen = freezeGraphModel(MODEL, await loadFiles(SOURCE));
  const shapes = { rows: 1, shapeOf: new Map() };
  const { input, outputs } = frozen.graph;
  const [output = ''] = outputs.map(({ name }) => name);
  const start = { tensor: input.tensor, rowDims: ROW };
  const nodes = cutGraph({ frozen, flow: traceFlow(frozen.graph), shapes }, start, [output]);
  writeFileSync(file, savedModel(nodes));
  const child = spawn(python, [SCRIPT, file, SEGMENT_INPUT, output, ROW.join()], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout });
  return {
    run: async (rows, runs) => {
      child.stdin.write(`${rows} ${runs}\n`);
      return JSON.parse(await nextLine(lines, child)) as number[];
    },
    stop: () => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function nextLine(lines: Interface, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const ended = (): void => {
      reject(new Error('TensorFlow in Python ended; run test/bench/tensorflow/session.py by hand'));
    };
    child.once('exit', ended);
    lines.once('line', (line) => {
      child.off('exit', ended);
      resolve(line);
    });
  });
}
