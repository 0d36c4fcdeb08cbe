// Opens a backbone: file, shapes by running it, cuts, outputs.
import type { TensorSpec } from '../../../crds/wire/state.ts';
import { traceFlow } from '../../core/onnx/graph-flow.ts';
import { findCuts } from '../../core/onnx/find-cuts.ts';
import { tensorsToMeasure } from '../../core/onnx/live-places.ts';
import type { MeasuredShape, ShapeTable } from '../../core/onnx/macs.ts';
import { outputKind } from '../../core/onnx/output-kind.ts';
import { finestPool } from '../../core/pool.ts';
import { createRandom } from '../../core/random.ts';
import { EngineError } from '../engine-error.ts';
import { readModelNotes } from '../model-notes.ts';
import type { ModelDescription, ModelSource } from '../segment-engine.ts';
import { chooseClassOutput } from './class-output.ts';
import { inputRowDims, loadModelFile } from './load-model.ts';
import { wholeModel, type OpenedModel } from './opened-model.ts';
import { floatsOf, floatTensorOf, RuntimeSession, type RuntimeTensor } from './session.ts';

/** Two numbers of rows, so that what follows the rows shows. */
const PROBE_ROWS = [2, 3] as const;
/** Answers of one row beside other batch-mates may differ by rounding only. */
const MIXING_TOLERANCE = 1e-3;

const DATATYPES: Readonly<Record<string, string>> = {
  float32: 'FP32',
  float64: 'FP64',
  float16: 'FP16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  int8: 'INT8',
  bool: 'BOOL',
};

type Found = Readonly<Record<string, RuntimeTensor>>;

export async function openModel(source: ModelSource): Promise<OpenedModel> {
  const notes = await readModelNotes(source.path);
  const file = await loadModelFile(source);
  const { model } = file;
  const [input] = model.inputs;
  if (input === undefined) throw new EngineError('UnsupportedModel', `${source.path} has no input`);
  const flow = traceFlow(model);
  const graph = {
    model,
    flow,
    input: { name: input.name, rowDims: inputRowDims(source.path, input, notes) },
  };
  const outputNames = model.outputs.map(({ name }) => name);
  const wanted = [...new Set([...tensorsToMeasure(model, flow), ...outputNames])];
  const [few, more] = probe(source.path, graph, wanted);
  refuseMixing(source.path, outputNames, few, more);
  const shapes = toShapeTable(graph.input, wanted, few, more);
  const search = findCuts(model, flow, shapes);
  const outputs = outputNames.map((name) => toSpec(name, shapes.shapeOf.get(name)));
  const chosen = chooseClassOutput(source.path, source.outputName ?? notes.output ?? null, outputs);
  const description: ModelDescription = {
    digest: file.digest,
    format: 'ONNX',
    sizeBytes: file.bytes.length,
    macs: search.macs,
    inputs: [{ name: input.name, datatype: 'FP32', shape: [-1, ...graph.input.rowDims] }],
    outputs,
    outputName: chosen.name,
    outputKind: outputKind(model, chosen.name),
    classCount: chosen.classCount,
    cuts: search.cuts.map(({ tensor, macsShare, channels, height, width }) => ({
      tensor,
      macsShare,
      msShare: 0,
      channels,
      height,
      width,
      pool: finestPool(channels, height, width),
    })),
    rejectedCuts: search.rejected,
  };
  return { ...graph, path: source.path, shapes, search, notes, description };
}

/** Runs the backbone twice with all wanted tensors as outputs. */
function probe(
  path: string,
  graph: Pick<OpenedModel, 'model' | 'flow' | 'input'>,
  wanted: readonly string[],
): readonly [Found, Found] {
  const shapes: ShapeTable = { rows: PROBE_ROWS[0], shapeOf: new Map() };
  try {
    const session = new RuntimeSession(wholeModel({ ...graph, shapes }, wanted), {
      optimisation: 'disabled',
    });
    const few = session.run(probeFeeds(graph.input, PROBE_ROWS[0]));
    const more = session.run(probeFeeds(graph.input, PROBE_ROWS[1]));
    session.release();
    return [few, more];
  } catch (error) {
    throw new EngineError(
      'UnsupportedModel',
      `onnxruntime cannot run ${path} with more than one row: ${firstLine(error)}; ` +
        `export it with a free batch axis (dynamic_axes) and operators that onnxruntime has`,
      { cause: error },
    );
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/** The first row is the same for any number of rows. */
function probeFeeds(input: OpenedModel['input'], rows: number): Record<string, RuntimeTensor> {
  const size = input.rowDims.reduce((all, dim) => all * dim, 1);
  const values = new Float32Array(rows * size);
  for (let row = 0; row < rows; row += 1) {
    const random = createRandom([row === 0 ? 0 : rows * 16 + row]);
    for (let index = 0; index < size; index += 1) values[row * size + index] = random.uniform();
  }
  return { [input.name]: floatTensorOf(values, [rows, ...input.rowDims]) };
}

function refuseMixing(path: string, outputs: readonly string[], few: Found, more: Found): void {
  for (const name of outputs) {
    const [one, other] = [floatsOf(few[name]), floatsOf(more[name])];
    if (one === null || other === null) continue;
    const size = one.length / PROBE_ROWS[0];
    const largest = one.subarray(0, size).reduce((max, value) => Math.max(max, Math.abs(value)), 1);
    const differs = one
      .subarray(0, size)
      .some((value, index) => Math.abs(value - (other[index] ?? NaN)) > MIXING_TOLERANCE * largest);
    if (differs) {
      throw new EngineError(
        'UnsupportedModel',
        `output ${name} of ${path} answers a row differently beside other rows; ` +
          'the model mixes rows of a batch (training-mode batch norm?): export it in inference mode',
      );
    }
  }
}

function toShapeTable(
  input: OpenedModel['input'],
  wanted: readonly string[],
  few: Found,
  more: Found,
): ShapeTable {
  const rows = PROBE_ROWS[0];
  const shapeOf = new Map<string, MeasuredShape>([
    [input.name, { type: 'float32', dims: [rows, ...input.rowDims], rowsFirst: true }],
  ]);
  for (const name of wanted) {
    const [one, other] = [few[name], more[name]];
    if (one === undefined || other === undefined) continue;
    const sameRest =
      one.dims.length === other.dims.length &&
      one.dims.slice(1).every((dim, axis) => dim === other.dims[axis + 1]);
    const rowsFirst = sameRest && one.dims[0] === rows && other.dims[0] === PROBE_ROWS[1];
    shapeOf.set(name, { type: one.type, dims: one.dims, rowsFirst });
  }
  return { rows, shapeOf };
}

function toSpec(name: string, shape: MeasuredShape | undefined): TensorSpec {
  const dims = shape?.dims ?? [];
  return {
    name,
    datatype: DATATYPES[shape?.type ?? ''] ?? 'BYTES',
    shape: shape?.rowsFirst === true ? [-1, ...dims.slice(1)] : dims,
  };
}
