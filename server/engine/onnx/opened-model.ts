// Everything that is known of a backbone after it was opened; made once, shared by all plans.
import { anyValue, floatValue, type ValueLiteral } from '../../core/onnx/build-model.ts';
import { cutSegment } from '../../core/onnx/cut-segment.ts';
import type { GraphFlow } from '../../core/graph/graph-flow.ts';
import { NO_TAIL } from '../../core/onnx/head-graph.ts';
import type { ShapeTable } from '../../core/graph/shape-table.ts';
import type { OnnxModel } from '../../core/onnx/read-model.ts';
import type { OpenedBackbone } from '../backbone/runtime.ts';

export interface OpenedModel extends OpenedBackbone {
  readonly model: OnnxModel;
  readonly flow: GraphFlow;
  readonly shapes: ShapeTable;
  readonly outputTensors: readonly string[];
}

/** The graph input with a free number of rows, whatever the file says. */
export function inputValue(
  name: string,
  rowDims: readonly number[],
  rows: number | 'rows' = 'rows',
): ValueLiteral {
  return floatValue(name, [rows, ...rowDims]);
}

/** The backbone from its input to the given tensors. @param rows exactly so many; any without it */
export function wholeModel(
  opened: Pick<OpenedModel, 'model' | 'flow' | 'shapes' | 'input'>,
  outputs: readonly string[],
  rows?: number,
): Uint8Array {
  const { model, flow, shapes, input } = opened;
  return cutSegment(model, flow, shapes, {
    input: inputValue(input.name, input.rowDims, rows),
    outputs: outputs.map(anyValue),
    tail: NO_TAIL,
  });
}
