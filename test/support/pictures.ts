import sharp, { type Sharp } from 'sharp';
import { loadImageDecoder } from '../../server/image/decode-image.ts';
import type { ImageDecoder } from '../../server/image/image-decoder.ts';

export type Pixel = readonly [red: number, green: number, blue: number];

/** Rows of pixels, all of one length. */
export function pictureOf(rows: readonly (readonly Pixel[])[]): Sharp {
  const bytes = Buffer.from(rows.flat(2));
  return sharp(bytes, {
    raw: { width: rows[0]!.length, height: rows.length, channels: 3 },
  });
}

/** A picture of size x size in which no two pixels are the same (up to 16 x 16). */
export function colourfulRows(size: number): Pixel[][] {
  return Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (__, x): Pixel => [x * 16, y * 16, (x * 7 + y * 11) % 256]),
  );
}

/** The product's own decoder, in this process. */
export async function decoderHere(maxPixels = 16_000_000): Promise<ImageDecoder> {
  const decode = await loadImageDecoder();
  return {
    decode: (bytes, input) => decode(bytes, input, maxPixels),
    close: () => undefined,
  };
}
