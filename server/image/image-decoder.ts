import type { ImageInput } from './image-input.ts';

export type DecodedImage =
  | { readonly ok: true; readonly row: Uint8Array }
  | { readonly ok: false; readonly problem: string };

/** Pictures -> rows of bytes, never on the main thread. */
export interface ImageDecoder {
  /**
   * One picture. Rejects with ImageDecoderError when there is nothing that could decode it, and with the signal's reason when it is
   * aborted while it waits.
   */
  decode(bytes: Uint8Array, input: ImageInput, signal: AbortSignal): Promise<DecodedImage>;
  close(): void;
}

/** No picture can be decoded now, whatever it is. */
export class ImageDecoderError extends Error {
  override readonly name = 'ImageDecoderError';
}

export interface DecodeCall {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly input: ImageInput;
  readonly maxPixels: number;
}

export type DecodeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unavailable'; readonly detail: string }
  | {
      readonly kind: 'decoded';
      readonly id: number;
      readonly image: DecodedImage;
      readonly rssBytes: number;
    };
