// Heads as one graph per depth, weights fed with each run: a head that comes or goes builds nothing. The same function as
// server/core/head.ts.
import { FEATURE_LIMIT } from '../../core/head.ts';
import {
  boolAttr,
  constant,
  DataType,
  integers,
  node,
  placeholder,
  typeAttr,
  type NodeDef,
} from './node-def.ts';

export const HEAD_LOGITS = 'logits';

/** What is fed, in this order. @param isDeep with a hidden layer. */
export function headInputs(isDeep: boolean): readonly string[] {
  return ['features', 'mean', 'scale', 'w1', 'b1', ...(isDeep ? ['w2', 'b2'] : [])];
}

/** @param isDeep with a hidden layer. Non-finite features give NaN logits, whatever the weights. */
export function headGraph(isDeep: boolean): readonly NodeDef[] {
  const first = isDeep ? 'hidden' : 'z';
  const layers = isDeep
    ? [node('Relu', 'rectified', ['hidden']), ...layer('z', ['rectified', 'w2', 'b2'])]
    : [];
  return [
    ...headInputs(isDeep).map((name) => placeholder(name, null)),
    node('Sub', 'centred', ['features', 'mean']),
    node('RealDiv', 'scaled', ['centred', 'scale']),
    scalar('upper', FEATURE_LIMIT),
    scalar('lower', -FEATURE_LIMIT),
    node('Minimum', 'bounded', ['scaled', 'upper']),
    node('Maximum', 'x', ['bounded', 'lower']),
    ...layer(first, ['x', 'w1', 'b1']),
    ...layers,
    // The clip and the rectifier would hide it, and the row could leave.
    node('IsFinite', 'finite', ['features']),
    integers('axis', [1]),
    {
      name: 'whole',
      op: 'All',
      inputs: ['finite', 'axis'],
      attributes: { keep_dims: boolAttr(true), Tidx: typeAttr(DataType.int32) },
    },
    scalar('nothing', NaN),
    node('SelectV2', HEAD_LOGITS, ['whole', 'z', 'nothing']),
  ];
}

function layer(name: string, [x = '', weights = '', bias = '']: readonly string[]): NodeDef[] {
  return [
    node('MatMul', `${name}/product`, [x, weights]),
    node('BiasAdd', name, [`${name}/product`, bias]),
  ];
}

function scalar(name: string, value: number): NodeDef {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return constant({ name, type: DataType.float, dims: [], bytes });
}
