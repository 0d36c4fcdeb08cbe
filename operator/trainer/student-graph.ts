import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from '../../server/core/onnx/build-model.ts';
import type { ConvolutionShape } from '../../server/core/student/student-shape.ts';
import type { DenseSettings } from '../training/dense-trainer.ts';
import { NORM_EPSILON } from '../training/student/fold-student.ts';
import type { StudentShape } from '../training/student/student-trainer.ts';
import {
  adamNodes,
  lossConstants,
  lossNodes,
  optimiserConstants,
  optimiserValues,
} from './step-graph.ts';

// One training step of a student as an ONNX graph with hand-derived gradients: convolution, batch norm (Ioffe and Szegedy 2015, the
// backward pass of section 3), ReLU, mean over places, dense layer, the loss of exits.md 4.2, Adam. As in step-graph.ts weights and
// moments come in and go out. The gradient of a convolution's weights is a convolution of its input with its error, rows and
// channels exchanged and dilated by the stride; that of its input is the transposed convolution.

/** A parameter as the graph names it. */
interface StudentParameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly decays: boolean;
}

/** `wI` [outputs, inputs, 3, 3], `gI` and `bI` (scale and shift of the norm) per convolution, then `dense` and `dense.bias`. */
export function studentParameters({
  convolutions,
  classCount,
}: StudentShape): readonly StudentParameter[] {
  const width = convolutions.at(-1)?.outputs ?? 0;
  return [
    ...convolutions.flatMap(({ inputs, outputs }, i) => [
      { name: `w${i}`, dims: [outputs, inputs, 3, 3], decays: true },
      { name: `g${i}`, dims: [1, outputs, 1, 1], decays: false },
      { name: `b${i}`, dims: [1, outputs, 1, 1], decays: false },
    ]),
    { name: 'dense', dims: [width, classCount], decays: true },
    { name: 'dense.bias', dims: [classCount], decays: false },
  ];
}

const OVER_PLACES = { axes: { ints: [0, 2, 3] }, keepdims: { int: 1 } } as const;

/** `rI` -> `r(I+1)`; `nI` is the normalised output, `iI` one over its standard deviation. */
function forwardNodes({ stride }: ConvolutionShape, i: number): readonly NodeLiteral[] {
  return [
    node('Conv', [`r${i}`, `w${i}`], [`c${i}`], {
      kernel_shape: { ints: [3, 3] },
      strides: { ints: [stride, stride] },
      pads: { ints: [1, 1, 1, 1] },
    }),
    node('ReduceMean', [`c${i}`], [`mean${i}`], OVER_PLACES),
    node('Sub', [`c${i}`, `mean${i}`], [`d${i}`]),
    node('Mul', [`d${i}`, `d${i}`], [`q${i}`]),
    node('ReduceMean', [`q${i}`], [`variance${i}`], OVER_PLACES),
    node('Add', [`variance${i}`, 'norm.epsilon'], [`v${i}`]),
    node('Sqrt', [`v${i}`], [`s${i}`]),
    node('Reciprocal', [`s${i}`], [`i${i}`]),
    node('Mul', [`d${i}`, `i${i}`], [`n${i}`]),
    node('Mul', [`n${i}`, `g${i}`], [`ng${i}`]),
    node('Add', [`ng${i}`, `b${i}`], [`y${i}`]),
    node('Relu', [`y${i}`], [`r${i + 1}`]),
  ];
}

/** The error of `r(I+1)`, named `er(I+1)`, -> gradients of the convolution's parameters and, unless it is the first, `erI`. */
function backwardNodes(
  { stride, height, width }: ConvolutionShape,
  i: number,
): readonly NodeLiteral[] {
  const pad = (extent: number): number => (extent - 1) % stride;
  const [down, right] = [pad(height), pad(width)];
  return [
    node('Sign', [`r${i + 1}`], [`on${i}`]),
    node('Mul', [`er${i + 1}`, `on${i}`], [`ey${i}`]),
    node('Mul', [`ey${i}`, `n${i}`], [`en${i}`]),
    node('ReduceMean', [`ey${i}`], [`ey${i}.mean`], OVER_PLACES),
    node('ReduceMean', [`en${i}`], [`en${i}.mean`], OVER_PLACES),
    node('Mul', [`ey${i}.mean`, `places${i}`], [`b${i}.gradient`]),
    node('Mul', [`en${i}.mean`, `places${i}`], [`g${i}.gradient`]),
    node('Mul', [`n${i}`, `en${i}.mean`], [`along${i}`]),
    node('Sub', [`ey${i}`, `ey${i}.mean`], [`across${i}`]),
    node('Sub', [`across${i}`, `along${i}`], [`rest${i}`]),
    node('Mul', [`g${i}`, `i${i}`], [`gi${i}`]),
    node('Mul', [`rest${i}`, `gi${i}`], [`ec${i}`]),
    node('Transpose', [`r${i}`], [`rt${i}`], { perm: { ints: [1, 0, 2, 3] } }),
    node('Transpose', [`ec${i}`], [`et${i}`], { perm: { ints: [1, 0, 2, 3] } }),
    node('Conv', [`rt${i}`, `et${i}`], [`wt${i}`], {
      dilations: { ints: [stride, stride] },
      // What the stride left over at the far edge was read by no filter.
      pads: { ints: [1, 1, 1 - down, 1 - right] },
    }),
    node('Transpose', [`wt${i}`], [`w${i}.gradient`], { perm: { ints: [1, 0, 2, 3] } }),
    ...(i === 0
      ? []
      : [
          node('ConvTranspose', [`ec${i}`, `w${i}`], [`er${i}`], {
            kernel_shape: { ints: [3, 3] },
            strides: { ints: [stride, stride] },
            pads: { ints: [1, 1, 1, 1] },
            output_padding: { ints: [down, right] },
          }),
        ]),
  ];
}

/** Features and logits, and back to the error of the last convolution's output. */
function denseNodes(last: number): readonly NodeLiteral[] {
  return [
    node('ReduceMean', [`r${last}`], ['features'], {
      axes: { ints: [2, 3] },
      keepdims: { int: 0 },
    }),
    node('Gemm', ['features', 'dense', 'dense.bias'], ['z']),
    ...lossNodes(),
    node('Gemm', ['features', 'dz'], ['dense.gradient'], { transA: { int: 1 } }),
    node('ReduceSum', ['dz', 'axis.rows'], ['dense.bias.gradient'], { keepdims: { int: 0 } }),
    node('Gemm', ['dz', 'dense'], ['features.error'], { transB: { int: 1 } }),
    node('Reshape', ['features.error', 'as.places'], ['features.places']),
    node('Mul', ['features.places', 'one.place'], [`er${last}`]),
  ];
}

/** Channels, height and width of what the first convolution reads; a student has at least one. */
export function rowOf({ convolutions }: StudentShape): readonly number[] {
  return convolutions.slice(0, 1).flatMap(({ inputs, height, width }) => [inputs, height, width]);
}

function placesOf({ outHeight, outWidth }: ConvolutionShape): number {
  return outHeight * outWidth;
}

/** What the mean over places gives back to each of them. */
function onePlace(last: ConvolutionShape): TensorLiteral {
  const share = new Float32Array(placesOf(last)).fill(1 / placesOf(last));
  return floatTensor('one.place', [1, 1, last.outHeight, last.outWidth], share);
}

/**
 * One step: inputs r0 [batchRows, channels, height, width], soft, hard, row.weight ([batchRows, 1], already divided by rows), scalars
 * rate.step, rate.keep, root.correction, and per parameter p: p, p.m, p.v. Outputs loss, p.next, p.m.next, p.v.next, and per
 * convolution meanI, varianceI.
 */
export function studentStepModel(shape: StudentShape, settings: DenseSettings): Uint8Array {
  const { convolutions, classCount, batchRows } = shape;
  const parameters = studentParameters(shape);
  const optimiser = optimiserValues(parameters);
  const moments = convolutions.flatMap(({ outputs }, i) =>
    [`mean${i}`, `variance${i}`].map((name) => floatValue(name, [1, outputs, 1, 1])),
  );
  return buildModel({
    inputs: [
      floatValue('r0', [batchRows, ...rowOf(shape)]),
      floatValue('soft', [batchRows, classCount]),
      floatValue('hard', [batchRows, classCount]),
      floatValue('row.weight', [batchRows, 1]),
      ...optimiser.inputs,
    ],
    outputs: [floatValue('loss', []), ...optimiser.outputs, ...moments],
    initializers: [
      ...lossConstants(settings),
      ...optimiserConstants(),
      floatTensor('norm.epsilon', [], [NORM_EPSILON]),
      int64Tensor('as.places', [4], [0, 0, 1, 1]),
      ...convolutions.slice(-1).map(onePlace),
      ...convolutions.map((convolution, i) =>
        floatTensor(`places${i}`, [], [batchRows * placesOf(convolution)]),
      ),
    ],
    nodes: [
      ...convolutions.flatMap(forwardNodes),
      ...denseNodes(convolutions.length),
      ...convolutions.map(backwardNodes).reverse().flat(),
      ...parameters.flatMap(adamNodes),
    ],
  });
}
