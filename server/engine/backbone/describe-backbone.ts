// From a graph and two runs of it to shapes, cuts and outputs.
import type { OutputProblem, TensorSpec } from '../../../crds/wire/state.ts';
import type { ComputeGraph, GraphVocabulary } from '../../core/graph/compute-graph.ts';
import { findCuts, type CutSearch } from '../../core/graph/find-cuts.ts';
import type { GraphFlow } from '../../core/graph/graph-flow.ts';
import { tensorsToMeasure } from '../../core/graph/live-places.ts';
import { outputKind } from '../../core/graph/output-kind.ts';
import type { MeasuredShape, ShapeTable } from '../../core/graph/shape-table.ts';
import { finestPool } from '../../core/pool.ts';
import { createRandom } from '../../core/random.ts';
import { DETECTION_CLASSES } from '../../core/task/detection.ts';
import { EngineError } from '../engine-error.ts';
import type { ModelNotes } from '../model-notes.ts';
import type { ModelDescription } from '../segment-engine.ts';
import { chooseClassOutput, type ClassOutput } from './class-output.ts';
import { describeDetector } from './detection-outputs.ts';
import type { OpenedBackbone } from './runtime.ts';

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

/** A tensor as a run shows it. */
export interface ProbedTensor {
  readonly type: string;
  readonly dims: readonly number[];
  /** Null for other types than float32. */
  readonly floats: Float32Array | null;
}

export interface ProbeInput {
  readonly values: Float32Array;
  readonly rows: number;
}

type Probed = ReadonlyMap<string, ProbedTensor>;

export interface BackboneToDescribe {
  readonly path: string;
  readonly file: Pick<ModelDescription, 'digest' | 'format' | 'sizeBytes'>;
  readonly graph: ComputeGraph;
  readonly flow: GraphFlow;
  readonly vocabulary: GraphVocabulary;
  readonly input: OpenedBackbone['input'];
  /** Names that clients use, in the order of the graph's outputs. */
  readonly outputNames: readonly string[];
  /** What an output's scores are, where its operator does not show it. */
  readonly kindOf?: (tensor: string) => ModelDescription['outputKind'];
  /** Class output, when the model has several; null: as the notes say. */
  readonly declaredOutput: string | null;
  readonly notes: ModelNotes;
  /** Runs the whole backbone on each input, with these tensors exposed. Throws EngineError UnsupportedModel. */
  readonly probe: (
    wanted: readonly string[],
    inputs: readonly [ProbeInput, ProbeInput],
  ) => readonly [Probed, Probed];
}

export interface DescribedBackbone {
  readonly shapes: ShapeTable;
  readonly search: CutSearch;
  readonly description: ModelDescription;
}

export function describeBackbone(backbone: BackboneToDescribe): DescribedBackbone {
  const { path, graph, flow, vocabulary, input } = backbone;
  const tensors = graph.outputs.map(({ name }) => name);
  const wanted = [...new Set([...tensorsToMeasure(graph, flow, vocabulary), ...tensors])];
  const [few, more] = backbone.probe(wanted, [probeInput(input, 0), probeInput(input, 1)]);
  refuseMixing(path, tensors, few, more);
  const [{ name: inputTensor } = input] = graph.inputs;
  const given = { name: inputTensor, rowDims: input.rowDims };
  const shapes = toShapeTable(given, wanted, few, more);
  const search = findCuts(graph, flow, shapes, vocabulary);
  const outputs = tensors.map((tensor, index) =>
    toSpec(backbone.outputNames[index] ?? tensor, shapes.shapeOf.get(tensor)),
  );
  return {
    shapes,
    search,
    description: {
      ...backbone.file,
      macs: search.macs,
      inputs: [{ name: input.name, datatype: 'FP32', shape: [-1, ...input.rowDims] }],
      ...describeAnswer(backbone, search, outputs),
    },
  };
}

/** What clients get, and what of it exits supply. */
function describeAnswer(
  backbone: BackboneToDescribe,
  search: CutSearch,
  outputs: readonly TensorSpec[],
): OfAnswer {
  const { path, graph, declaredOutput, notes } = backbone;
  const wanted = declaredOutput ?? notes.output ?? null;
  if (notes.detection !== undefined) {
    const { output, maps } = describeDetector(path, notes.detection, { outputs, wanted });
    return {
      ...{ outputs: [output], outputName: output.name, outputKind: null, outputProblem: null },
      ...{ classCount: DETECTION_CLASSES, detection: maps, ...describeCuts(search) },
    };
  }
  const chosen = chooseClassOutput(path, wanted, outputs);
  if (!chosen.ok) return { outputs, ...describeNoExits(search, chosen.problem) };
  const tensor = graph.outputs[chosen.index]?.name;
  return { outputs, ...describeExits(backbone, search, { tensor, ...chosen.value }) };
}

type OfExits = Pick<
  ModelDescription,
  'outputName' | 'outputKind' | 'outputProblem' | 'classCount' | 'cuts' | 'rejectedCuts'
>;

type OfAnswer = OfExits & Pick<ModelDescription, 'outputs' | 'detection'>;

function describeExits(
  { graph, kindOf }: BackboneToDescribe,
  search: CutSearch,
  { name, classCount, tensor = name }: ClassOutput & { readonly tensor: string | undefined },
): OfExits {
  return {
    outputName: name,
    outputKind: kindOf?.(tensor) ?? outputKind(graph, tensor),
    outputProblem: null,
    classCount,
    ...describeCuts(search),
  };
}

function describeCuts(search: CutSearch): Pick<ModelDescription, 'cuts' | 'rejectedCuts'> {
  return {
    cuts: search.cuts.map((cut) => ({
      tensor: cut.tensor,
      macsShare: cut.macsShare,
      msShare: 0,
      channels: cut.channels,
      height: cut.height,
      width: cut.width,
      pool: finestPool(cut.channels, cut.height, cut.width),
    })),
    rejectedCuts: search.rejected,
  };
}

/** The backbone is served as it is: an exit would have no output to supply, so no tensor is told as a cut. */
function describeNoExits(search: CutSearch, problem: OutputProblem): OfExits {
  const reason = 'would be a cut, but there is no class output that an exit there could supply';
  return {
    outputName: null,
    outputKind: null,
    outputProblem: problem,
    classCount: 0,
    cuts: [],
    rejectedCuts: [...search.cuts.map(({ tensor }) => ({ tensor, reason })), ...search.rejected],
  };
}

/** The first row is the same for any number of rows. */
function probeInput(input: OpenedBackbone['input'], which: 0 | 1): ProbeInput {
  const rows = PROBE_ROWS[which];
  const size = input.rowDims.reduce((all, dim) => all * dim, 1);
  const values = new Float32Array(rows * size);
  for (let row = 0; row < rows; row += 1) {
    const random = createRandom([row === 0 ? 0 : rows * 16 + row]);
    for (let index = 0; index < size; index += 1) values[row * size + index] = random.uniform();
  }
  return { values, rows };
}

function refuseMixing(path: string, outputs: readonly string[], few: Probed, more: Probed): void {
  for (const name of outputs) {
    const [one, other] = [few.get(name)?.floats ?? null, more.get(name)?.floats ?? null];
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
  input: OpenedBackbone['input'],
  wanted: readonly string[],
  few: Probed,
  more: Probed,
): ShapeTable {
  const rows = PROBE_ROWS[0];
  const shapeOf = new Map<string, MeasuredShape>([
    [input.name, { type: 'float32', dims: [rows, ...input.rowDims], rowsFirst: true }],
  ]);
  for (const name of wanted) {
    const [one, other] = [few.get(name), more.get(name)];
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
