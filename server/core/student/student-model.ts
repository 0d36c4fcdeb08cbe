import { dequantize, type BundleMatrix } from '../../../crds/wire/head-bundle.ts';
import type { BundleStudent, StudentInput } from '../../../crds/wire/student.ts';
import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from '../onnx/build-model.ts';

interface Parts {
  readonly nodes: readonly NodeLiteral[];
  readonly initializers: readonly TensorLiteral[];
}

/** The ONNX file of a student: equal students give equal bytes, and their sha256 is the digest that the bundle names. */
export function studentModel(student: BundleStudent): Uint8Array {
  const { input, convolutions, dense, denseBias } = student;
  const parts = [
    standardised(input),
    ...convolutions.map((convolution, index) => convolved(convolution, index)),
    classified(`r${convolutions.length}`, dense, denseBias),
  ];
  return buildModel({
    inputs: [floatValue('rows', ['rows', ...rowDims(input)])],
    outputs: [floatValue('logits', ['rows', denseBias.length])],
    nodes: parts.flatMap(({ nodes }) => nodes),
    initializers: parts.flatMap(({ initializers }) => initializers),
  });
}

function rowDims({ layout, channels, height, width }: StudentInput): readonly number[] {
  return layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
}

/** Rows -> `r0` [rows, channels, height, width]. */
function standardised({ layout, channels, mean, scale }: StudentInput): Parts {
  const isFirst = layout === 'NCHW';
  const turned: readonly NodeLiteral[] = isFirst
    ? []
    : [node('Transpose', ['rows'], ['turned'], { perm: { ints: [0, 3, 1, 2] } })];
  return {
    nodes: [
      ...turned,
      node('Sub', [isFirst ? 'rows' : 'turned', 'mean'], ['centred']),
      node('Div', ['centred', 'scale'], ['r0']),
    ],
    initializers: [
      floatTensor('mean', [1, channels, 1, 1], mean),
      floatTensor('scale', [1, channels, 1, 1], scale),
    ],
  };
}

function convolved(
  { stride, weights, bias }: BundleStudent['convolutions'][number],
  index: number,
): Parts {
  const [weightName, biasName] = [`w${index}`, `b${index}`];
  const inputs = weights.rows / 9;
  return {
    nodes: [
      node('Conv', [`r${index}`, weightName, biasName], [`c${index}`], {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [stride, stride] },
        pads: { ints: [1, 1, 1, 1] },
      }),
      node('Relu', [`c${index}`], [`r${index + 1}`]),
    ],
    initializers: [
      floatTensor(weightName, [bias.length, inputs, 3, 3], transposed(weights)),
      floatTensor(biasName, [bias.length], bias),
    ],
  };
}

function classified(from: string, dense: BundleMatrix, bias: Float32Array): Parts {
  return {
    nodes: [
      node('GlobalAveragePool', [from], ['pooled']),
      node('Reshape', ['pooled', 'flat'], ['features']),
      node('Gemm', ['features', 'dense', 'dense.bias'], ['logits']),
    ],
    initializers: [
      int64Tensor('flat', [2], [-1, dense.rows]),
      floatTensor('dense', [dense.rows, dense.columns], dequantize(dense)),
      floatTensor('dense.bias', [bias.length], bias),
    ],
  };
}

/** [rows, columns] -> [columns, rows]. */
function transposed(matrix: BundleMatrix): Float32Array {
  const values = dequantize(matrix);
  const { rows, columns } = matrix;
  return Float32Array.from(values, (_, at) => {
    const [column, row] = [Math.floor(at / rows), at % rows];
    return Number(values[row * columns + column]);
  });
}
