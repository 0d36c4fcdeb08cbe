/* eslint-disable @typescript-eslint/no-non-null-assertion -- index loops over arrays of known length */
import { fromHalf } from '../../../crds/wire/half-float.ts';
import type { TensorSpec } from '../../../crds/wire/state.ts';
import { CliError } from '../../errors.ts';
import type { ModelDescriptionFile } from './model-description.ts';
import { fitRowLayout, type RowLayout } from './row-layout.ts';
import { rowBytes, type Element, type TrafficSource } from './source.ts';

/** Turns raw rows into rows of the model's input tensor. */
export interface RowEncoder {
  readonly inputName: string;
  readonly datatype: 'FP32' | 'UINT8';
  /** Without the batch axis. */
  readonly rowShape: readonly number[];
  readonly rowBytes: number;
  /** Writes one encoded row into `target`. */
  encode(raw: Buffer, target: Uint8Array, offset: number): void;
}

/** u1 rows are normalised as `layercache.json` says; float rows are taken as ready. */
export function createRowEncoder(
  source: TrafficSource,
  inputs: readonly TensorSpec[],
  description: ModelDescriptionFile,
): RowEncoder {
  const input = inputs[0];
  if (input === undefined || inputs.length > 1) {
    throw new CliError('TrafficWrongShape', {
      where: source.name,
      why: `the backbone has ${inputs.length} inputs; local mode feeds exactly one.`,
      nextStep: 'Send your own requests to the server instead.',
    });
  }
  const layout = fitRowLayout(source.rowShape, input.shape.slice(1), description.input?.layout);
  if (layout === null) throw wrongShape(source, input);
  const base = { inputName: input.name, rowShape: layout.shape };
  if (input.datatype === 'UINT8' && source.element === 'u1') {
    return { ...base, datatype: 'UINT8', rowBytes: rowBytes(source), encode: byteCopier(layout) };
  }
  if (input.datatype !== 'FP32') {
    throw new CliError('TrafficWrongType', {
      where: source.name,
      why: `the backbone takes ${input.datatype} and the rows are ${source.element}.`,
      nextStep:
        'Save the rows in the type of the input, or export the backbone with a float32 input.',
    });
  }
  const elements = elementCount(layout.shape);
  return {
    ...base,
    datatype: 'FP32',
    rowBytes: elements * 4,
    encode: floatEncoder(
      source.element,
      layout,
      normalisation(source.element, description, layout),
    ),
  };
}

function wrongShape(source: TrafficSource, input: TensorSpec): CliError {
  const wanted = input.shape.map((size) => (size < 0 ? 'any' : size)).join(', ');
  return new CliError('TrafficWrongShape', {
    where: source.name,
    why: `a row is (${source.rowShape.join(', ')}), but input ${input.name} takes (${wanted}).`,
  });
}

/** For each element of the model's row: where it lies in the source's row. Null: in the same place. */
function gatherMap(layout: RowLayout): Uint32Array | null {
  if (layout.order === 'AsIs') return null;
  const [a = 1, b = 1, c = 1] = layout.shape;
  const map = new Uint32Array(a * b * c);
  for (let i = 0; i < map.length; i++) {
    const first = Math.floor(i / (b * c));
    const second = Math.floor(i / c) % b;
    const third = i % c;
    map[i] =
      layout.order === 'HwcToChw'
        ? (second * c + third) * a + first
        : (third * a + first) * b + second;
  }
  return map;
}

function byteCopier(layout: RowLayout): RowEncoder['encode'] {
  const map = gatherMap(layout);
  return (raw, target, offset) => {
    if (map === null) target.set(raw, offset);
    else for (let i = 0; i < map.length; i++) target[offset + i] = raw[map[i] ?? 0] ?? 0;
  };
}

interface Normalisation {
  readonly multiply: Float64Array;
  readonly add: Float64Array;
  /** Channel of element i of the model's row. */
  channelOf(i: number): number;
}

function normalisation(
  element: Element,
  { input }: ModelDescriptionFile,
  layout: RowLayout,
): Normalisation | null {
  if (element !== 'u1' || input === undefined) return null;
  const { scale = 1, mean = [], std = [] } = input;
  if (scale === 1 && mean.length === 0 && std.length === 0) return null;
  const channelsLast = input.layout === 'NHWC';
  const channels = channelsLast ? layout.shape.at(-1)! : layout.shape[0]!;
  const plane = elementCount(layout.shape) / channels;
  const means = perChannel(mean, channels, 0);
  const multiply = perChannel(std, channels, 1).map((deviation) => scale / deviation);
  return {
    multiply,
    add: means.map((value, channel) => (-value * multiply[channel]!) / scale),
    channelOf: (i) => (channelsLast ? i % channels : Math.floor(i / plane)),
  };
}

/** One value for all channels, or one each; channels without one get the default. */
function perChannel(values: readonly number[], channels: number, otherwise: number): Float64Array {
  return Float64Array.from(
    { length: channels },
    (_, channel) => values[values.length === 1 ? 0 : channel] ?? otherwise,
  );
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

const READERS: Readonly<Record<Element, (raw: Buffer, i: number) => number>> = {
  u1: (raw, i) => raw[i] ?? 0,
  f4: (raw, i) => raw.readFloatLE(4 * i),
  f2: (raw, i) => fromHalf(raw.readUInt16LE(2 * i)),
};

function floatEncoder(
  element: Element,
  layout: RowLayout,
  scaling: Normalisation | null,
): RowEncoder['encode'] {
  const map = gatherMap(layout);
  const read = READERS[element];
  const count = elementCount(layout.shape);
  // A view of its own: `target` may start at any byte.
  const values = new Float32Array(count);
  const bytes = new Uint8Array(values.buffer);
  return (raw, target, offset) => {
    for (let i = 0; i < count; i++) {
      const value = read(raw, map === null ? i : (map[i] ?? 0));
      values[i] = scaling === null ? value : scaled(scaling, value, i);
    }
    target.set(bytes, offset);
  };
}

function scaled(scaling: Normalisation, value: number, i: number): number {
  const channel = scaling.channelOf(i);
  return value * (scaling.multiply[channel] ?? 1) + (scaling.add[channel] ?? 0);
}
