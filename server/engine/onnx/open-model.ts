// Opens a backbone: file, shapes by running it, cuts, outputs.
import { traceFlow } from '../../core/graph/graph-flow.ts';
import type { ShapeTable } from '../../core/graph/shape-table.ts';
import { ONNX_VOCABULARY } from '../../core/onnx/macs.ts';
import { describeRunFailure } from '../../core/onnx/run-failure.ts';
import {
  describeBackbone,
  type ProbedTensor,
  type ProbeInput,
} from '../backbone/describe-backbone.ts';
import { checkImageNotes } from '../backbone/check-image-notes.ts';
import { inputRowDims } from '../backbone/input-row-dims.ts';
import { EngineError } from '../engine-error.ts';
import { firstLine } from '../first-line.ts';
import { readSourceNotes } from '../model-notes.ts';
import type { ModelSource } from '../segment-engine.ts';
import { loadModelFile } from './load-model.ts';
import { wholeModel, type OpenedModel } from './opened-model.ts';
import { floatsOf, floatTensorOf, RuntimeSession } from './session.ts';

type Probed = ReadonlyMap<string, ProbedTensor>;

export async function openModel(source: ModelSource): Promise<OpenedModel> {
  const { path } = source;
  const notes = await readSourceNotes(source);
  const file = await loadModelFile(source);
  const { model } = file;
  const [input] = model.inputs;
  if (input === undefined) throw new EngineError('UnsupportedModel', `${path} has no input`);
  const flow = traceFlow(model);
  const { image } = notes.input;
  const rowDims = inputRowDims(path, input, [undefined, image?.height, image?.width]);
  checkImageNotes(path, notes, rowDims);
  const graph = {
    model,
    flow,
    input: { name: input.name, rowDims },
  };
  const described = describeBackbone({
    path,
    file: { digest: file.digest, format: 'ONNX', sizeBytes: file.bytes.length },
    graph: model,
    flow,
    vocabulary: ONNX_VOCABULARY,
    input: graph.input,
    outputNames: model.outputs.map(({ name }) => name),
    declaredOutput: source.outputName,
    notes,
    probe: (wanted, inputs) => probe(path, graph, wanted, inputs),
  });
  const made = new Set(model.nodes.flatMap(({ outputs }) => outputs));
  return {
    ...graph,
    ...described,
    path,
    notes,
    outputTensors: model.outputs.map(({ name }) => name),
    hasTensor: (name) => made.has(name),
  };
}

/** Runs the backbone twice with all wanted tensors as outputs. */
function probe(
  path: string,
  graph: Pick<OpenedModel, 'model' | 'flow' | 'input'>,
  wanted: readonly string[],
  [few, more]: readonly [ProbeInput, ProbeInput],
): readonly [Probed, Probed] {
  const shapes: ShapeTable = { rows: few.rows, shapeOf: new Map() };
  try {
    const session = new RuntimeSession(wholeModel({ ...graph, shapes }, wanted), {
      optimisation: 'disabled',
    });
    const found = [
      runOnce(session, graph.input, few),
      runOnce(session, graph.input, more),
    ] as const;
    session.release();
    return found;
  } catch (error) {
    const [declared = -1] = graph.model.inputs.flatMap(({ dims }) => dims?.slice(0, 1) ?? []);
    throw new EngineError(
      'UnsupportedModel',
      `${path}: ${describeRunFailure(firstLine(error), declared > 0 ? declared : null)}`,
      { cause: error },
    );
  }
}

function runOnce(
  session: RuntimeSession,
  { name, rowDims }: OpenedModel['input'],
  { values, rows }: ProbeInput,
): Probed {
  const found = session.run({ [name]: floatTensorOf(values, [rows, ...rowDims]) });
  return new Map(
    Object.entries(found).map(([tensor, value]) => [
      tensor,
      { type: value.type, dims: value.dims, floats: floatsOf(value) },
    ]),
  );
}
