// Cuts a segment out of an ONNX file: byte ranges of nodes and initialisers are copied, cut tensors become inputs and outputs.
import { closeOver, type StandIn } from '../graph/close-over.ts';
import type { GraphFlow } from '../graph/graph-flow.ts';
import type { ShapeTable } from '../graph/shape-table.ts';
import {
  encodeInitializerField,
  encodeNodeField,
  encodeValueField,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
  type ValueLiteral,
} from './build-model.ts';
import type { OnnxModel, OnnxNode } from './read-model.ts';
import { concatBytes, intField, messageField, textField } from './wire-write.ts';

/** Nodes that are appended to a segment: pooling. */
export interface SegmentTail {
  readonly nodes: readonly NodeLiteral[];
  readonly initializers: readonly TensorLiteral[];
  readonly outputs: readonly ValueLiteral[];
}

export interface SegmentRequest {
  /** Tensor that the segment starts from: the graph input or a cut. */
  readonly input: ValueLiteral;
  readonly outputs: readonly ValueLiteral[];
  /** A tensor that the tail reads and nobody else. */
  readonly read?: string;
  readonly tail: SegmentTail;
}

const PREFIX = 'layercache/shape';

/** The segment as an ONNX file. Its cost is the size of what is copied. Throws InvariantError when an output does not
 *  follow from the input: cuts come from `findCuts`. */
export function cutSegment(
  model: OnnxModel,
  flow: GraphFlow,
  shapes: ShapeTable,
  request: SegmentRequest,
): Uint8Array {
  const start = request.input.name;
  const ends = request.outputs.map(({ name }) => name);
  const outputs = request.read === undefined ? ends : [...ends, request.read];
  const { names, nodes, standIns } = closeOver(model, flow, shapes, { start, outputs });
  const shapeNodes = shapeStandIns(standIns, start);
  const copied = [...nodes].sort((a, b) => a.from - b.from);
  const constants = model.initializers.filter(({ name }) => names.has(name));
  const graph = [
    ...shapeNodes.nodes.map(encodeNodeField),
    ...copied.map(({ from, end }) => model.bytes.subarray(from, end)),
    ...request.tail.nodes.map(encodeNodeField),
    textField(2, 'segment'),
    ...constants.map(({ from, end }) => model.bytes.subarray(from, end)),
    ...[...shapeNodes.initializers, ...request.tail.initializers].map(encodeInitializerField),
    encodeValueField(11, request.input),
    ...[...request.outputs, ...request.tail.outputs].map((value) => encodeValueField(12, value)),
  ];
  return concatBytes([
    // From version 4 on, initialisers need not be graph inputs, so the runtime may fold them.
    intField(1, Math.max(4, model.irVersion)),
    ...model.opsets.map(({ from, end }) => model.bytes.subarray(from, end)),
    messageField(7, graph),
  ]);
}

interface ShapeNodes {
  readonly nodes: NodeLiteral[];
  readonly initializers: TensorLiteral[];
}

/** Shapes of tensors before the start, made again from the row count. */
function shapeStandIns(standIns: readonly StandIn<OnnxNode>[], start: string): ShapeNodes {
  const made: ShapeNodes = { nodes: [], initializers: [] };
  if (standIns.length === 0) return made;
  made.nodes.push(
    node('Shape', [start], [`${PREFIX}/all`]),
    node('Gather', [`${PREFIX}/all`, `${PREFIX}/zero`], [`${PREFIX}/rows`]),
  );
  made.initializers.push(int64Tensor(`${PREFIX}/zero`, [1], [0]));
  for (const [index, standIn] of standIns.entries()) addStandIn(standIn, index, made);
  return made;
}

function addStandIn(
  { made: source, dims }: StandIn<OnnxNode>,
  index: number,
  { nodes, initializers }: ShapeNodes,
): void {
  const part = (step: string): string => `${PREFIX}/${index}/${step}`;
  const axes = dims.map((_, axis) => axis).slice(source.ints.get('start'), source.ints.get('end'));
  initializers.push(
    int64Tensor(part('rest'), [dims.length - 1], dims.slice(1)),
    int64Tensor(part('wanted'), [axes.length], axes),
  );
  nodes.push(
    node('Concat', [`${PREFIX}/rows`, part('rest')], [part('whole')], { axis: { int: 0 } }),
    node('Gather', [part('whole'), part('wanted')], source.outputs),
  );
}
