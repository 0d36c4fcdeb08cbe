// What the converter to TensorFlow.js has joined, taken apart into operators that TensorFlow has; its own optimiser joins them again.
import { DataType, node, typeAttr, type NodeDef } from './node-def.ts';
import { encodeAttribute, textsOf } from './read-attributes.ts';

/** Joined operator -> the one it starts with, and that one's attributes. */
const STARTS: Readonly<Record<string, { readonly op: string; readonly keeps: readonly string[] }>> =
  {
    _FusedConv2D: {
      op: 'Conv2D',
      keeps: ['strides', 'padding', 'explicit_paddings', 'dilations', 'data_format'],
    },
    FusedDepthwiseConv2dNative: {
      op: 'DepthwiseConv2dNative',
      keeps: ['strides', 'padding', 'explicit_paddings', 'dilations', 'data_format'],
    },
    _FusedMatMul: { op: 'MatMul', keeps: ['transpose_a', 'transpose_b'] },
  };

/** @param attributes of the node, as model.json has them. @returns nodes of which the last has the joined one's name. */
export function expandFused(
  joined: NodeDef,
  attributes: Readonly<Record<string, unknown>>,
): readonly NodeDef[] {
  if (joined.op === 'Prelu') return prelu(joined.name, joined.name, joined.inputs);
  const start = STARTS[joined.op];
  if (start === undefined) return [joined];
  const steps = textsOf(attributes.fused_ops);
  const [value = '', weights = '', ...more] = joined.inputs;
  const kept = Object.entries(joined.attributes).filter(([key]) => start.keeps.includes(key));
  const nameOf = (step: number): string =>
    step === steps.length ? joined.name : `${joined.name}/step${step}`;
  return [
    node(start.op, nameOf(0), [value, weights], Object.fromEntries(kept)),
    ...steps.flatMap((op, index) => {
      const inputs = [nameOf(index), ...(TAKES_MORE.has(op) ? more.splice(0, 1) : [])];
      if (op === 'Prelu') return prelu(nameOf(index + 1), joined.name, inputs);
      return [node(op, nameOf(index + 1), inputs, stepAttributes(op, joined, attributes))];
    }),
  ];
}

/** Each takes the next of the joined node's inputs. */
const TAKES_MORE: ReadonlySet<string> = new Set(['BiasAdd', 'Prelu']);

function stepAttributes(
  op: string,
  joined: NodeDef,
  { leakyrelu_alpha: slope }: Readonly<Record<string, unknown>>,
): NodeDef['attributes'] {
  const { data_format: layout } = joined.attributes;
  if (op === 'BiasAdd' && layout !== undefined) return { data_format: layout };
  const alpha = encodeAttribute(slope);
  return op === 'LeakyRelu' && alpha !== null ? { alpha } : {};
}

/** TensorFlow has no such operator: max(x, 0) - alpha * max(-x, 0). */
function prelu(name: string, prefix: string, [x = '', alpha = '']: readonly string[]): NodeDef[] {
  const part = (step: string): string => `${prefix}/prelu/${step}`;
  return [
    node('Relu', part('positive'), [x]),
    node('Neg', part('negated'), [x]),
    node('Relu', part('negative'), [part('negated')]),
    node('Mul', part('sloped'), [part('negative'), alpha]),
    node('Sub', name, [part('positive'), part('sloped')], { T: typeAttr(DataType.float) }),
  ];
}
