import {
  buildModel,
  floatTensor,
  floatValue,
  int64Tensor,
  node,
  type NodeLiteral,
  type TensorLiteral,
} from '../../server/core/onnx/build-model.ts';
import { ADAM } from '../training/adam.ts';
import type { DenseSettings, DenseShape } from '../training/dense-trainer.ts';

// The training step of exits.md 4.2 and 4.3 as an ONNX graph with hand-derived gradients. Weights and moments come in and
// go out, so a session holds no state; operator/training/mlp.ts is the definition that this follows.

/** A parameter of a head as the graphs name it: `w1` comes with moments `w1.m`, `w1.v`, outputs end in `.next`. */
export interface ParameterSpec {
  readonly name: 'w1' | 'b1' | 'w2' | 'b2';
  readonly dims: readonly number[];
  readonly decays: boolean;
}

/** Parameters of a shape in layer order. */
export function parametersOf({
  featureCount,
  hidden,
  classCount,
}: DenseShape): readonly ParameterSpec[] {
  const layer = (n: 1 | 2, inputs: number, outputs: number): readonly ParameterSpec[] => [
    { name: `w${n}`, dims: [inputs, outputs], decays: true },
    { name: `b${n}`, dims: [outputs], decays: false },
  ];
  if (hidden === 0) return layer(1, featureCount, classCount);
  return [...layer(1, featureCount, hidden), ...layer(2, hidden, classCount)];
}

function parameterValues(shape: DenseShape): ReturnType<typeof floatValue>[] {
  return parametersOf(shape).map(({ name, dims }) => floatValue(name, dims));
}

/** z = W2 relu(W1 x + b1) + b2, or W1 x + b1. */
function forwardNodes(hidden: number): readonly NodeLiteral[] {
  if (hidden === 0) return [node('Gemm', ['x', 'w1', 'b1'], ['z'])];
  return [
    node('Gemm', ['x', 'w1', 'b1'], ['a']),
    node('Relu', ['a'], ['h']),
    node('Gemm', ['h', 'w2', 'b2'], ['z']),
  ];
}

/** Loss of distillationLoss and its gradient `dz`, divided by rows. */
export function lossNodes(): readonly NodeLiteral[] {
  return [
    node('Div', ['z', 'temperature'], ['z.warm']),
    node('LogSoftmax', ['z.warm'], ['log.warm'], { axis: { int: 1 } }),
    node('LogSoftmax', ['z'], ['log.plain'], { axis: { int: 1 } }),
    node('Exp', ['log.warm'], ['warm']),
    node('Exp', ['log.plain'], ['plain']),
    node('Max', ['soft', 'tiny'], ['soft.positive']),
    node('Log', ['soft.positive'], ['log.soft']),
    node('Sub', ['log.soft', 'log.warm'], ['log.ratio']),
    node('Mul', ['soft', 'log.ratio'], ['divergence']),
    node('Mul', ['divergence', 'loss.soft'], ['divergence.scaled']),
    node('Mul', ['hard', 'log.plain'], ['likelihood']),
    node('Mul', ['likelihood', 'loss.hard'], ['likelihood.scaled']),
    node('Sub', ['divergence.scaled', 'likelihood.scaled'], ['terms']),
    node('Mul', ['terms', 'row.weight'], ['terms.weighted']),
    node('ReduceSum', ['terms.weighted'], ['loss'], { keepdims: { int: 0 } }),
    node('Sub', ['warm', 'soft'], ['warm.error']),
    node('Mul', ['warm.error', 'gradient.soft'], ['warm.scaled']),
    node('Sub', ['plain', 'hard'], ['plain.error']),
    node('Mul', ['plain.error', 'loss.hard'], ['plain.scaled']),
    node('Add', ['warm.scaled', 'plain.scaled'], ['error']),
    node('Mul', ['error', 'row.weight'], ['dz']),
  ];
}

function gradientNodes(hidden: number): readonly NodeLiteral[] {
  const last = hidden === 0 ? 'x' : 'h';
  const n = hidden === 0 ? 1 : 2;
  const layer = (from: string, dy: string, k: number): readonly NodeLiteral[] => [
    node('Gemm', [from, dy], [`w${k}.gradient`], { transA: { int: 1 } }),
    node('ReduceSum', [dy, 'axis.rows'], [`b${k}.gradient`], { keepdims: { int: 0 } }),
  ];
  if (hidden === 0) return layer(last, 'dz', n);
  return [
    ...layer(last, 'dz', n),
    node('Gemm', ['dz', 'w2'], ['dh'], { transB: { int: 1 } }),
    node('Greater', ['a', 'zero'], ['is.active']),
    node('Where', ['is.active', 'dh', 'zero'], ['da']),
    ...layer('x', 'da', 1),
  ];
}

/** Adam with decoupled decay; `rate.step` = rate / (1 - beta1^t), `root.correction` = 1 / sqrt(1 - beta2^t). */
export function adamNodes({
  name,
  decays,
}: {
  readonly name: string;
  readonly decays: boolean;
}): readonly NodeLiteral[] {
  const g = `${name}.gradient`;
  const of = (suffix: string): string => `${name}.${suffix}`;
  return [
    node('Mul', [of('m'), 'beta1'], [of('m.old')]),
    node('Mul', [g, 'beta1.rest'], [of('m.new')]),
    node('Add', [of('m.old'), of('m.new')], [of('m.next')]),
    node('Mul', [of('v'), 'beta2'], [of('v.old')]),
    node('Mul', [g, g], [of('g.square')]),
    node('Mul', [of('g.square'), 'beta2.rest'], [of('v.new')]),
    node('Add', [of('v.old'), of('v.new')], [of('v.next')]),
    node('Sqrt', [of('v.next')], [of('v.root')]),
    node('Mul', [of('v.root'), 'root.correction'], [of('v.corrected')]),
    node('Add', [of('v.corrected'), 'epsilon'], [of('denominator')]),
    node('Div', [of('m.next'), of('denominator')], [of('direction')]),
    node('Mul', [of('direction'), 'rate.step'], [of('move')]),
    ...(decays
      ? [
          node('Mul', [name, 'rate.keep'], [of('kept')]),
          node('Sub', [of('kept'), of('move')], [of('next')]),
        ]
      : [node('Sub', [name, of('move')], [of('next')])]),
  ];
}

function scalar(name: string, value: number): TensorLiteral {
  return floatTensor(name, [], [value]);
}

/** What `lossNodes` read, and the axis of rows. */
export function lossConstants({ alpha, temperature }: DenseSettings): readonly TensorLiteral[] {
  return [
    scalar('temperature', temperature),
    scalar('tiny', 1e-37),
    scalar('loss.soft', alpha * temperature ** 2),
    scalar('loss.hard', 1 - alpha),
    scalar('gradient.soft', alpha * temperature),
    int64Tensor('axis.rows', [1], [0]),
  ];
}

/** What `adamNodes` read. */
export function optimiserConstants(): readonly TensorLiteral[] {
  return [
    scalar('beta1', ADAM.beta1),
    scalar('beta1.rest', 1 - ADAM.beta1),
    scalar('beta2', ADAM.beta2),
    scalar('beta2.rest', 1 - ADAM.beta2),
    scalar('epsilon', ADAM.epsilon),
  ];
}

/** Inputs and outputs of a graph with `adamNodes` of these parameters: rates, and each parameter p with its moments p.m and p.v. */
export function optimiserValues(
  parameters: readonly { readonly name: string; readonly dims: readonly number[] }[],
): Record<'inputs' | 'outputs', readonly ReturnType<typeof floatValue>[]> {
  const state = parameters.flatMap(({ name, dims }) =>
    ['', '.m', '.v'].map((suffix) => ({ name: name + suffix, dims })),
  );
  return {
    inputs: [
      ...['rate.step', 'rate.keep', 'root.correction'].map((name) => floatValue(name, [])),
      ...state.map(({ name, dims }) => floatValue(name, dims)),
    ],
    outputs: state.map(({ name, dims }) => floatValue(`${name}.next`, dims)),
  };
}

/**
 * One step: inputs x, soft, hard, row.weight ([rows, 1], already divided by rows), scalars rate.step, rate.keep,
 * root.correction, and per parameter p: p, p.m, p.v. Outputs loss, p.next, p.m.next, p.v.next.
 */
export function stepModel(shape: DenseShape, settings: DenseSettings): Uint8Array {
  const { featureCount, hidden, classCount } = shape;
  const parameters = parametersOf(shape);
  const optimiser = optimiserValues(parameters);
  return buildModel({
    inputs: [
      floatValue('x', ['rows', featureCount]),
      floatValue('soft', ['rows', classCount]),
      floatValue('hard', ['rows', classCount]),
      floatValue('row.weight', ['rows', 1]),
      ...optimiser.inputs,
    ],
    outputs: [floatValue('loss', []), ...optimiser.outputs],
    initializers: [...lossConstants(settings), ...optimiserConstants(), scalar('zero', 0)],
    nodes: [
      ...forwardNodes(hidden),
      ...lossNodes(),
      ...gradientNodes(hidden),
      ...parameters.flatMap(adamNodes),
    ],
  });
}

/** Logits z of standardised rows x under given weights. */
export function forwardModel(shape: DenseShape): Uint8Array {
  return buildModel({
    inputs: [floatValue('x', ['rows', shape.featureCount]), ...parameterValues(shape)],
    outputs: [floatValue('z', ['rows', shape.classCount])],
    initializers: [],
    nodes: forwardNodes(shape.hidden),
  });
}
