import { expect, test } from 'vitest';
import type { CutReport } from '../../../../crds/wire/state.ts';
import { acceleratorNames } from '../../../../operator/plan/accelerators.ts';
import { discoverExits } from '../../../../operator/plan/discover-exits.ts';

function aCut(tensor: string, msShare: number, macsShare = msShare): CutReport {
  return { tensor, msShare, macsShare, channels: 1, height: 1, width: 1, pool: 1 };
}

const namesOf = (tensors: readonly string[]): readonly string[] =>
  discoverExits(tensors.map((tensor, i) => aCut(tensor, i / 10))).map(({ name }) => name);

test.each([
  [
    'a tensor without its output number',
    ['block/relu_output_12', 'block/relu:12'],
    ['block-relu', 'block-relu-2'],
  ],
  ['an output number in the middle as it is', ['a_output_0_b', 'a:1:b'], ['a-output-0-b', 'a-1-b']],
  ['one dash for whatever is no letter or digit', ['A//b..C'], ['a-b-c']],
  ['no dash at either end', ['/a/'], ['a']],
  ['a name for what has none, and for a reserved one', ['//', 'backbone'], ['exit', 'exit-2']],
  ['a number for each of the same', ['a', 'a', 'a'], ['a', 'a-2', 'a-3']],
])('an exit has %s', (_, tensors, names) => {
  expect(namesOf(tensors)).toEqual(names);
});

test('a name keeps the end of a long tensor, and room for its number', () => {
  const tensor = `${'x'.repeat(40)}${'y'.repeat(32)}`;
  expect(namesOf([tensor, tensor])).toEqual(['y'.repeat(32), `${'y'.repeat(29)}-2`]);
});

test('a name is of whole words where a long tensor has them', () => {
  const prefix = 'StatefulPartitionedCall/functional';
  expect(
    namesOf([`${prefix}/conv5_block3_out_relu/Relu`, `${prefix}/${'a'.repeat(31)}/b`]),
  ).toEqual(['conv5-block3-out-relu-relu', 'b']);
  expect(namesOf([`${prefix}/${'a'.repeat(32)}`])).toEqual(['a'.repeat(32)]);
});

test('of two cuts as near the later is taken', () => {
  const even = Array.from({ length: 8 }, (_, i) => aCut(`even-${i}`, i / 7));
  const found = discoverExits([...even, aCut('twin', 3 / 7, 0.5)]);
  expect(found.map(({ tensor }) => tensor)).toEqual(
    even.map(({ tensor }, i) => (i === 3 ? 'twin' : tensor)),
  );
});

test('cuts are told in their order, in whichever they are taken', () => {
  const early = Array.from({ length: 9 }, (_, i) => aCut(`early-${i}`, i / 100));
  const found = discoverExits([...early, aCut('last', 1)]).map(({ msShare }) => msShare);
  expect(found).toHaveLength(8);
  expect(found).toEqual(found.toSorted((a, b) => a - b));
});

test('accelerators are limits beyond processors, memory and disk, in order and once', () => {
  const limits = { cpu: 1, memory: 1, 'ephemeral-storage': 1, 'b.example/x': 1, 'a.example/y': 1 };
  const container = { resources: { limits } };
  const template = { spec: { containers: [container, container] } };
  expect(acceleratorNames(template)).toEqual(['a.example/y', 'b.example/x']);
});
