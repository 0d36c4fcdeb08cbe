// A SavedModel whose weights are constants of its graph.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileProblem } from '../../core/system-error.ts';
import { readGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError, type EngineErrorCode } from '../engine-error.ts';
import type { ModelSource } from '../segment-engine.ts';
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
export async function loadSavedModel({
  path,
  digest: expected,
}: ModelSource): Promise<LoadedGraph> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const problem = fileProblem(error) ?? 'cannot be read';
    const message = `${path} ${problem}; check the path of the backbone`;
    throw new EngineError('ModelMissing', message, { cause: error });
  });
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (expected !== null && expected !== digest) {
    throw new EngineError(
      'DigestMismatch',
      `${path} has digest ${digest}, expected ${expected}; fetch the file again or correct the digest`,
    );
  }
  const read = readSavedModel(bytes);
  if (read === null) {
    const message = `${path} is no SavedModel with a graph under the tag serve; export the model again`;
    throw new EngineError('ModelUnreadable', message);
  }
  const graph = readGraph(read.topology, read.signature, read.dims);
  if (!graph.ok) throw new EngineError(graph.code as EngineErrorCode, `${path} ${graph.message}`);
  const unfrozen = graph.value.nodes.find(({ op }) => UNFROZEN.test(op));
  if (unfrozen !== undefined) throw notFlat(path, unfrozen.op);
  return {
    file: { digest, format: 'SavedModel', sizeBytes: bytes.length },
    frozen: {
      graph: graph.value,
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
