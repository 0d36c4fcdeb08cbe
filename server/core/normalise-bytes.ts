/* eslint-disable @typescript-eslint/no-non-null-assertion -- a byte is an index of a table of 256 values */
// Rows of bytes as they arrive -> the model's float32 input.

/** What is said of the input of a model beside it; per channel, or one number for all. */
export interface ByteInput {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly layout?: 'NCHW' | 'NHWC' | undefined;
}

/** u8 -> (value * scale - mean) / std with per-channel mean and std; a table of 256 values per channel makes it a look-up. */
export function normaliseBytes(
  bytes: Uint8Array,
  rowDims: readonly number[],
  notes: ByteInput,
): Float32Array {
  const values = new Float32Array(bytes.length);
  const { count, run } = channelRuns(rowDims, notes);
  const tables = Array.from({ length: count }, (_, channel) => channelTable(channel, notes));
  for (let offset = 0, channel = 0; offset < bytes.length; offset += run, channel += 1) {
    const table = tables[channel % count]!;
    for (let index = offset; index < offset + run; index += 1) {
      values[index] = table[bytes[index]!]!;
    }
  }
  return values;
}

/** How many channels have numbers of their own, and how many neighbours in memory share one. */
function channelRuns(
  rowDims: readonly number[],
  { mean, std, layout }: ByteInput,
): { readonly count: number; readonly run: number } {
  const size = rowDims.reduce((all, dim) => all * dim, 1);
  const count = Math.max(1, mean.length, std.length);
  if (count === 1) return { count, run: size };
  return { count, run: layout === 'NHWC' ? 1 : size / count };
}

function channelTable(channel: number, { scale, mean, std }: ByteInput): Float32Array {
  const centre = mean[channel] ?? mean[0] ?? 0;
  const spread = std[channel] ?? std[0] ?? 1;
  return Float32Array.from({ length: 256 }, (_, value) => (value * scale - centre) / spread);
}
