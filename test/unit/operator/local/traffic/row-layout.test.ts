import { expect, test } from 'vitest';
import { fitRowLayout } from '../../../../../operator/local/traffic/row-layout.ts';

test.each([
  [
    'rows that lie like the input stay',
    [3, 32, 32],
    [3, 32, 32],
    { shape: [3, 32, 32], order: 'AsIs' },
  ],
  [
    'channels move to the front',
    [32, 32, 3],
    [3, 32, 32],
    { shape: [3, 32, 32], order: 'HwcToChw' },
  ],
  [
    'free sizes are filled from the rows',
    [20, 30, 3],
    [3, -1, -1],
    { shape: [3, 20, 30], order: 'HwcToChw' },
  ],
  [
    'a missing single channel is added',
    [28, 28],
    [1, 28, 28],
    { shape: [1, 28, 28], order: 'AsIs' },
  ],
  [
    'a last single channel moves',
    [28, 28, 1],
    [1, 28, 28],
    { shape: [1, 28, 28], order: 'HwcToChw' },
  ],
  ['flat rows of the right count fit', [784], [1, 28, 28], { shape: [1, 28, 28], order: 'AsIs' }],
  ['other sizes do not fit', [32, 32, 3], [3, 28, 28], null],
  ['other ranks do not fit', [32, 32], [3, -1, -1], null],
] as const)('into NCHW: %s', (_, source, model, expected) => {
  expect(fitRowLayout(source, model, 'NCHW')).toEqual(expected);
});

test('into NHWC channels move to the end', () => {
  const fitted = fitRowLayout([3, 32, 32], [32, 32, 3], 'NHWC');
  expect(fitted).toEqual({ shape: [32, 32, 3], order: 'ChwToHwc' });
});

test('without a layout the shapes decide', () => {
  const fitted = fitRowLayout([8, 9, 3], [3, 8, 9], undefined);
  expect(fitted).toEqual({ shape: [3, 8, 9], order: 'HwcToChw' });
});
