import { ServingError, shown } from '../errors.ts';
import { InvariantError } from '../core/invariant.ts';
import type { ImageDecoder } from '../image/image-decoder.ts';
import { ImageDecoderError } from '../image/image-decoder.ts';
import { readImageHeader } from '../image/image-header.ts';
import { imageRowBytes } from '../image/image-input.ts';
import type { ImageRows, TensorRows } from './infer-request.ts';
import type { ModelShape } from './model-shape.ts';

/** Pictures of one request that wait for the decoder at once; the rest follow, so that requests take turns. */
const AT_ONCE = 4;

export interface DecodeOptions {
  readonly decoder: ImageDecoder;
  readonly signal: AbortSignal;
  /** Of all rows together: small files make large rows. */
  readonly maxBytes: number;
}

/** Every picture of a request -> one tensor of raw rows. Sizes are read from headers before anything is decoded. */
export async function decodeImages(
  { rows, images }: ImageRows,
  model: ModelShape,
  { decoder, signal, maxBytes }: DecodeOptions,
): Promise<TensorRows> {
  const { image, inputName: name } = model;
  if (image === null) throw new InvariantError('images were read for a model that takes none');
  const input = image;
  images.forEach((bytes, index) => {
    checkHeader(bytes, index, model);
  });
  const rowBytes = imageRowBytes(input);
  if (rows * rowBytes > maxBytes) {
    throw new ServingError('decompressed_too_large', { value: maxBytes });
  }
  const tensor = new Uint8Array(rows * rowBytes);
  let next = 0;

  async function decodeOneByOne(): Promise<void> {
    for (let index = next++; index < images.length; index = next++) {
      const decoded = await decoder.decode(images[index] ?? new Uint8Array(0), input, signal);
      if (!decoded.ok) throw brokenImage(name, index, decoded.problem);
      tensor.set(decoded.row, index * rowBytes);
    }
  }

  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, rows) }, decodeOneByOne));
  } catch (error) {
    // What still waits is not wanted any more.
    next = images.length;
    if (error instanceof ImageDecoderError) {
      throw new ServingError('images_unavailable', {}, { cause: error });
    }
    throw error;
  }
  return { rows, datatype: 'UINT8', input: tensor };
}

function checkHeader(bytes: Uint8Array, index: number, model: ModelShape): void {
  const header = readImageHeader(bytes);
  if (header === null) {
    throw brokenImage(model.inputName, index, 'it is no PNG, JPEG or WebP file');
  }
  const { maxImagePixels } = model.limits;
  if (header.width * header.height > maxImagePixels) {
    throw new ServingError('image_too_large', {
      name: model.inputName,
      value: index,
      expected: maxImagePixels,
    });
  }
}

function brokenImage(name: string, index: number, problem: string): ServingError {
  return new ServingError('broken_image', { name, value: index, detail: `${shown(problem)}.` });
}
