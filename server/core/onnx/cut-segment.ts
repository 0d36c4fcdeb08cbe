// Cuts a segment out of an ONNX file: byte ranges of nodes and initialisers are copied, cut tensors become inputs and outputs.
import { invariant } from '../invariant.ts';
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
import { isShapeOfRows, namesRead, type GraphFlow } from '../graph/graph-flow.ts';
import type { ShapeTable } from '../graph/shape-table.ts';
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
  const closure = new Closure(model, flow, shapes, request);
  const shapeNodes = closure.shapeStandIns();
  const copied = [...closure.nodes].sort((a, b) => a.from - b.from);
  const constants = model.initializers.filter(({ name }) => closure.names.has(name));
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

/** Everything that the outputs need, back to the input, constants and shapes. */
class Closure {
  readonly nodes = new Set<OnnxNode>();
  readonly names = new Set<string>();
  /** Shape nodes with the shape that they would see. */
  private readonly shapeNodes: { readonly made: OnnxNode; readonly dims: readonly number[] }[] = [];
  private readonly shapes: ShapeTable;
  private readonly start: string;

  constructor(model: OnnxModel, flow: GraphFlow, shapes: ShapeTable, request: SegmentRequest) {
    this.shapes = shapes;
    this.start = request.input.name;
    const maker = new Map(
      model.nodes.flatMap((made) => made.outputs.map((name) => [name, made] as const)),
    );
    const pending = request.outputs.map(({ name }) => name);
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (this.names.has(name)) continue;
      this.names.add(name);
      const made = name === this.start ? undefined : maker.get(name);
      const reached =
        made !== undefined || name === this.start || flow.kindOf.get(name) === 'constant';
      invariant(reached, `${name} does not follow from ${this.start}`);
      if (made === undefined || this.nodes.has(made)) continue;
      const dims = this.dimsToRemake(made, flow);
      if (dims !== null) this.shapeNodes.push({ made, dims });
      else {
        this.nodes.add(made);
        pending.push(...namesRead(made));
      }
    }
  }

  /** Shape nodes whose source is in the segment are copied; for the others the shape is made again from the row count. */
  shapeStandIns(): { nodes: NodeLiteral[]; initializers: TensorLiteral[] } {
    const nodes: NodeLiteral[] = [];
    const initializers: TensorLiteral[] = [];
    for (const { made, dims } of this.shapeNodes) {
      if (made.inputs.every((name) => this.names.has(name))) this.nodes.add(made);
      else this.addStandIn(made, dims, nodes, initializers);
    }
    if (nodes.length > 0) {
      nodes.unshift(
        node('Shape', [this.start], [`${PREFIX}/all`]),
        node('Gather', [`${PREFIX}/all`, `${PREFIX}/zero`], [`${PREFIX}/rows`]),
      );
      initializers.push(int64Tensor(`${PREFIX}/zero`, [1], [0]));
    }
    return { nodes, initializers };
  }

  private addStandIn(
    source: OnnxNode,
    dims: readonly number[],
    nodes: NodeLiteral[],
    initializers: TensorLiteral[],
  ): void {
    const rest = `${PREFIX}/${nodes.length}/rest`;
    const wanted = `${PREFIX}/${nodes.length}/wanted`;
    const whole = `${PREFIX}/${nodes.length}/whole`;
    const axes = dims
      .map((_, axis) => axis)
      .slice(source.ints.get('start'), source.ints.get('end'));
    initializers.push(int64Tensor(rest, [dims.length - 1], dims.slice(1)));
    initializers.push(int64Tensor(wanted, [axes.length], axes));
    nodes.push(
      node('Concat', [`${PREFIX}/rows`, rest], [whole], { axis: { int: 0 } }),
      node('Gather', [whole, wanted], source.outputs),
    );
  }

  /** The shape that a Shape node reads, when it follows from the number of rows; else null. */
  private dimsToRemake(made: OnnxNode, flow: GraphFlow): readonly number[] | null {
    if (!isShapeOfRows(made, flow.kindOf)) return null;
    const shape = this.shapes.shapeOf.get(made.inputs.join());
    return shape?.rowsFirst === true ? shape.dims : null;
  }
}
