// Native TensorFlow as an engine against TensorFlow in Python and against wasm, on the example: processor milliseconds per row of one
// thread.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { traceFlow } from '../../../server/core/graph/graph-flow.ts';
import { cutGraph, SEGMENT_INPUT } from '../../../server/engine/tensorflow/cut-graph.ts';
import { freezeGraphModel } from '../../../server/engine/tensorflow/frozen-graph.ts';
import { savedModel } from '../../../server/engine/tensorflow/node-def.ts';
import { createTensorFlowEngine } from '../../../server/engine/tensorflow/tensorflow-engine.ts';
import { loadFiles } from '../../../server/engine/tfjs/load-files.ts';
import { createTfjsEngine } from '../../../server/engine/tfjs/tfjs-engine.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { atMost, seen, type Figure } from '../figure.ts';
import { pythonEnvironment } from '../server/python-environment.ts';
import { engineRunner, measureInTurns, pythonRunner, type Runner } from './runners.ts';

const MODEL = fileURLToPath(
  new URL('../../server/examples/fashion-mnist/tfjs_graph_model/model.json', import.meta.url),
);
const PACKAGES = ['tensorflow-cpu==2.19.1'];
const SOURCE = { path: MODEL, outputName: null, digest: null };
const ROW = [28, 28, 1];
const SIZES = [1, 8, 32];
/** wasm takes several times as long. */
const RUNS = { native: 160, python: 160, wasm: 32 };

export async function measureTensorFlow(): Promise<Figure[]> {
  if (engineFolder === null) return leftOut('layercache engines install comes first');
  const environment = pythonEnvironment('tensorflow', PACKAGES);
  if (!environment.ok) return leftOut(environment.why);
  const python = await startPython(environment.python);
  const engines = { native: createTensorFlowEngine(engineFolder), wasm: createTfjsEngine('wasm') };
  try {
    const runners = {
      native: await engineRunner(engines.native, SOURCE, ROW),
      python: python.run,
      wasm: await engineRunner(engines.wasm, SOURCE, ROW),
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

async function compare(
  runners: Readonly<Record<keyof typeof RUNS, Runner>>,
  rows: number,
): Promise<Figure[]> {
  const perRow = await measureInTurns(runners, rows, RUNS);
  const place = (name: string, unit: string) => ({
    section: 'tensorflow',
    name: `${name}, ${rows} rows`,
    unit,
  });
  return [
    seen(place('tfjs-node, rows per processor second', '/s'), 1000 / perRow.native),
    atMost(place('tfjs-node / TensorFlow in Python', ''), perRow.native / perRow.python, 1.1),
    seen(place('tfjs-wasm / tfjs-node', ''), perRow.wasm / perRow.native),
  ];
}

async function startPython(
  python: string,
): Promise<{ readonly run: Runner; readonly stop: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-bench-'));
  const file = join(folder, 'saved_model.pb');
  const frozen = freezeGraphModel(MODEL, await loadFiles(SOURCE));
  const shapes = { rows: 1, shapeOf: new Map() };
  const { input, outputs } = frozen.graph;
  const [output = ''] = outputs.map(({ name }) => name);
  const start = { tensor: input.tensor, rowDims: ROW };
  const nodes = cutGraph({ frozen, flow: traceFlow(frozen.graph), shapes }, start, [output]);
  writeFileSync(file, savedModel(nodes));
  const args = [file, SEGMENT_INPUT, output, ROW.join()];
  const { run, stop } = pythonRunner(python, 'tensorflow_session.py', args);
  return {
    run,
    stop: () => {
      stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
