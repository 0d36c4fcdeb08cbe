import { describe, expect, test } from 'vitest';
import { TFJS_VOCABULARY } from '../../../../../server/core/tfjs/macs.ts';

const DIMS: Readonly<Record<string, readonly number[]>> = {
  image: [2, 8, 8, 3],
  kernel: [3, 3, 3, 16],
  map: [2, 8, 8, 16],
  deep: [3, 3, 16, 1],
  point: [1, 1, 16, 4],
  narrow: [2, 8, 8, 4],
  up: [2, 2, 5, 16],
  large: [2, 16, 16, 5],
  sizes: [4],
  vector: [2, 12],
  matrix: [12, 5],
  scores: [2, 5],
  tokens: [2, 7, 12],
  mixed: [2, 7, 5],
};

function macs(op: string, inputs: readonly string[], output: string): number {
  const node = { op, inputs, outputs: [output], captured: [] };
  return TFJS_VOCABULARY.macsOf(node, (name) => DIMS[name] ?? [], 2);
}

describe('multiply-adds of one row', () => {
  test.each([
    ['Conv2D', ['image', 'kernel'], 'map', 64 * 16 * 27],
    ['_FusedConv2D', ['image', 'kernel', 'bias'], 'map', 64 * 16 * 27],
    ['DepthwiseConv2dNative', ['map', 'deep'], 'map', 64 * 16 * 9],
    ['Conv2DBackpropInput', ['sizes', 'up', 'map'], 'large', 64 * 16 * 20],
    ['Conv2DTranspose', ['map', 'up'], 'large', 64 * 16 * 20],
    ['SeparableConv2D', ['map', 'deep', 'point'], 'narrow', 64 * (16 * 9 + 4 * 16)],
    ['MatMul', ['vector', 'matrix'], 'scores', 60],
    ['_FusedMatMul', ['vector', 'matrix'], 'scores', 60],
    ['BatchMatMulV2', ['tokens', 'matrix'], 'mixed', 7 * 60],
    ['Dense', ['tokens', 'matrix'], 'mixed', 7 * 60],
    ['Relu', ['map'], 'map', 0],
    ['Conv2D', ['image'], 'map', 0],
    ['Conv2D', ['image', 'kernel'], 'unknown', 0],
    ['SeparableConv2D', ['map'], 'unknown', 0],
    ['DepthwiseConv2D', ['map'], 'map', 0],
    ['Conv2DTranspose', [], 'map', 0],
    ['Conv2DBackpropInput', [], 'map', 0],
    ['MatMul', [], 'scores', 0],
  ] as const)('of %s %j -> %s are %d', (op, inputs, output, expected) => {
    expect(macs(op, inputs, output)).toBe(expected);
  });

  test('of a node without outputs are none', () => {
    const node = { op: 'MatMul', inputs: ['vector'], outputs: [], captured: [] };
    expect(TFJS_VOCABULARY.macsOf(node, (name) => DIMS[name] ?? [], 2)).toBe(0);
  });

  test('ask for the shapes of what is counted alone', () => {
    const node = { inputs: ['a', 'b'], outputs: ['c'], captured: [] };
    expect(TFJS_VOCABULARY.macTensors({ op: 'Conv2D', ...node })).toEqual(['a', 'b', 'c']);
    expect(TFJS_VOCABULARY.macTensors({ op: 'Relu', ...node })).toEqual([]);
  });
});
