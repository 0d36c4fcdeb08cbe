import type { DecodedImage } from './image-decoder.ts';
import type { ImageInput } from './image-input.ts';
import { imageRowBytes } from './image-input.ts';

export type DecodeImage = (
  bytes: Uint8Array,
  input: ImageInput,
  maxPixels: number,
) => Promise<DecodedImage>;

/** The only readers of libvips that may run: it has dozens, for formats that no client needs to send. */
const READERS = [
  'VipsForeignLoadPngBuffer',
  'VipsForeignLoadJpegBuffer',
  'VipsForeignLoadWebpBuffer',
];
const LONGEST_PROBLEM = 200;

/** Loads sharp, which only servers that get a picture do. Rejects when it is not installed for this machine. */
export async function loadImageDecoder(): Promise<DecodeImage> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({ operation: READERS });

  return async (bytes, input, maxPixels) => {
    const { width, height, channels } = input;
    const fit = ({ Cover: 'cover', Contain: 'contain', Fill: 'fill' } as const)[input.resize];
    try {
      const row = await sharp(bytes, {
        limitInputPixels: maxPixels,
        sequentialRead: true,
        // One frame of an animation.
        pages: 1,
      })
        .autoOrient()
        .flatten()
        .resize({ width, height, fit, background: 'black' })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer();
      if (row.length !== imageRowBytes(input)) {
        return { ok: false, problem: `it has ${row.length} bytes once decoded` };
      }
      return { ok: true, row: arrange(row, input) };
    } catch (error) {
      return { ok: false, problem: problemOf(error) };
    }
  };
}

/** [height, width, RGB] -> the layout and order of colours of the model. */
function arrange(row: Buffer, { channels, isBgr, isChannelsFirst }: ImageInput): Uint8Array {
  if (!isBgr && !isChannelsFirst) return new Uint8Array(row);
  const arranged = new Uint8Array(row.length);
  const pixels = row.length / channels;
  for (let channel = 0; channel < channels; channel++) {
    const from = isBgr ? channels - 1 - channel : channel;
    const [start, step] = isChannelsFirst ? [channel * pixels, 1] : [channel, channels];
    for (let pixel = 0; pixel < pixels; pixel++) {
      arranged[start + pixel * step] = row[pixel * channels + from] ?? 0;
    }
  }
  return arranged;
}

function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_PROBLEM);
}
