// Opens a backbone: files, frozen graph, shapes by running it, cuts, outputs.
import { extname } from 'node:path';
import { traceFlow, type GraphFlow } from '../../core/graph/graph-flow.ts';
import type { ShapeTable } from '../../core/graph/shape-table.ts';
import { TFJS_VOCABULARY } from '../../core/tfjs/macs.ts';
import { checkImageNotes } from '../backbone/check-image-notes.ts';
import {
  describeBackbone,
  type ProbedTensor,
  type ProbeInput,
} from '../backbone/describe-backbone.ts';
import { inputRowDims } from '../backbone/input-row-dims.ts';
import type { OpenedBackbone } from '../backbone/runtime.ts';
import { EngineError } from '../engine-error.ts';
import { firstLine } from '../first-line.ts';
import { readSourceNotes } from '../model-notes.ts';
import type { ModelSource } from '../segment-engine.ts';
import { loadFiles } from '../tfjs/load-files.ts';
import type { Addon, AddonTensor } from './addon.ts';
import { cutGraph, SEGMENT_INPUT } from './cut-graph.ts';
import { freezeGraphModel, type FrozenGraph } from './frozen-graph.ts';
import { loadSavedModel, type LoadedGraph } from './load-saved-model.ts';
import { DataType } from './node-def.ts';
import { TensorFlowSession, uploadFloats } from './session.ts';

export interface OpenedTensorFlowModel extends OpenedBackbone {
  readonly frozen: FrozenGraph;
  readonly flow: GraphFlow;
  readonly shapes: ShapeTable;
}

type Probed = ReadonlyMap<string, ProbedTensor>;

export async function openModel(addon: Addon, source: ModelSource): Promise<OpenedTensorFlowModel> {
  const { path } = source;
  const notes = await readSourceNotes(source);
  const { file, frozen } = await loadGraph(source);
  const { graph } = frozen;
  const flow = traceFlow(graph);
  const { image } = notes.input;
  const rowDims = inputRowDims(path, graph.input, [image?.height, image?.width, undefined]);
  checkImageNotes(path, notes, rowDims);
  const input = { name: graph.input.name, rowDims };
  const described = describeBackbone({
    path,
    file,
    graph,
    flow,
    vocabulary: TFJS_VOCABULARY,
    input,
    outputNames: graph.outputNames,
    declaredOutput: source.outputName,
    notes,
    probe: (wanted, inputs) => probe({ addon, path, frozen, flow, rowDims }, wanted, inputs),
  });
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  return { ...described, path, notes, input, frozen, flow, hasTensor: (name) => made.has(name) };
}

async function loadGraph(source: ModelSource): Promise<LoadedGraph> {
  const { path } = source;
  if (extname(path).toLowerCase() === '.pb') return loadSavedModel(source);
  const files = await loadFiles(source);
  const { format, digest, sizeBytes } = files;
  if (format === 'TFJSLayersModel') throw notGraphModel(path);
  return { file: { format, digest, sizeBytes }, frozen: freezeGraphModel(path, files) };
}

interface ProbedModel {
  readonly addon: Addon;
  readonly path: string;
  readonly frozen: FrozenGraph;
  readonly flow: GraphFlow;
  readonly rowDims: readonly number[];
}

/** Runs the backbone twice with all wanted tensors as outputs. */
function probe(
  { addon, path, frozen, flow, rowDims }: ProbedModel,
  wanted: readonly string[],
  [few, more]: readonly [ProbeInput, ProbeInput],
): readonly [Probed, Probed] {
  const { tensor } = frozen.graph.input;
  const shapes: ShapeTable = { rows: few.rows, shapeOf: new Map() };
  // The input is what it is without a run.
  const run = wanted.filter((name) => name !== tensor);
  try {
    const nodes = cutGraph({ frozen, flow, shapes }, { tensor, rowDims }, run);
    const session = new TensorFlowSession(addon, nodes, { inputs: [SEGMENT_INPUT], outputs: run });
    try {
      return [
        runOnce(addon, session, run, { ...few, rowDims }),
        runOnce(addon, session, run, { ...more, rowDims }),
      ];
    } finally {
      session.release();
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      'UnsupportedModel',
      `TensorFlow cannot run ${path} with more than one row: ${firstLine(error)}; ` +
        'convert it with a free batch axis and operators that TensorFlow has',
      { cause: error },
    );
  }
}

function runOnce(
  addon: Addon,
  session: TensorFlowSession,
  wanted: readonly string[],
  { values, rows, rowDims }: ProbeInput & { readonly rowDims: readonly number[] },
): Probed {
  const { id } = uploadFloats(addon, values, [rows, ...rowDims]);
  try {
    const found = session.run([id]);
    return new Map(found.map((one, index) => [wanted[index] ?? '', toProbed(addon, one)]));
  } finally {
    addon.deleteTensor(id);
  }
}

/** Names of types as onnxruntime and TensorFlow.js say them. */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [DataType.float, 'float32'],
  [2, 'float64'],
  [DataType.int32, 'int32'],
  [4, 'uint8'],
  [6, 'int8'],
  [DataType.int64, 'int64'],
  [DataType.bool, 'bool'],
  [19, 'float16'],
]);

function toProbed(addon: Addon, { id, shape, dtype }: AddonTensor): ProbedTensor {
  const floats = dtype === DataType.float ? (addon.tensorDataSync(id) as Float32Array) : null;
  addon.deleteTensor(id);
  return { type: TYPE_NAMES.get(dtype) ?? 'unknown', dims: shape, floats };
}

function notGraphModel(path: string): EngineError {
  return new EngineError(
    'UnsupportedModel',
    `${path} is a layers model, which TensorFlow itself does not read; convert it to a graph model ` +
      '(tensorflowjs_converter --input_format=tfjs_layers_model --output_format=tfjs_graph_model), or set the engine to TFJSWASM',
  );
}
