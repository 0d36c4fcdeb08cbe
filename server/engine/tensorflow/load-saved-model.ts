// A SavedModel whose weights are constants of its graph.
import { readModelFile } from '../backbone/model-file.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';
import { readableGraph } from '../tfjs/readable-graph.ts';
import type { FrozenGraph } from './frozen-graph.ts';
import { readSavedModel } from './read-saved-model.ts';

export interface LoadedGraph {
  readonly file: {
    readonly digest: string;
    readonly format: 'TFJSGraphModel' | 'SavedModel';
    readonly sizeBytes: number;
  };
  readonly frozen: FrozenGraph;
}

/** Weights outside the graph, or the model inside a function of it. */
const UNFROZEN = /^(VarHandleOp|ReadVariableOp|Variable(V2)?|(Stateful)?PartitionedCall)$/;

/** Throws EngineError. */
export async function loadSavedModel(source: ModelSource): Promise<LoadedGraph> {
  const { path } = source;
  const { bytes, digest } = await readModelFile(source);
  const read = readSavedModel(bytes);
  if (read === null) {
    const message = `${path} is no SavedModel with a graph under the tag serve; export the model again`;
    throw new EngineError('ModelUnreadable', message);
  }
  const graph = readableGraph(path, read.topology, read.signature, read.dims);
  const unfrozen = graph.nodes.find(({ op }) => UNFROZEN.test(op));
  if (unfrozen !== undefined) throw notFlat(path, unfrozen.op);
  return {
    file: { digest, format: 'SavedModel', sizeBytes: bytes.length },
    frozen: {
      graph,
      definitions: new Map(read.nodes.map((each) => [each.name, [each]])),
    },
  };
}

function notFlat(path: string, op: string): EngineError {
  return new EngineError(
    'UnsupportedModel',
    `${path} keeps its weights or its layers outside the graph (${op}), so that it cannot be cut; convert it to a graph model: ` +
      'tensorflowjs_converter --input_format=tf_saved_model --output_format=tfjs_graph_model FOLDER OUT',
  );
}
