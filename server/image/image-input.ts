import type { ModelNotes } from '../engine/model-notes.ts';

/** How a picture becomes one row of bytes, as `input.image` of layercache.json declares. */
export interface ImageInput {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Cover: scaled and cut to the middle; Contain: scaled, borders black; Fill: stretched. */
  readonly resize: 'Cover' | 'Contain' | 'Fill';
  readonly isBgr: boolean;
  /** Rows are [channels, height, width] instead of [height, width, channels]. */
  readonly isChannelsFirst: boolean;
}

export type ImageInputResult =
  | { readonly ok: true; readonly value: ImageInput | null }
  | { readonly ok: false; readonly message: string };

/** Null when the notes declare no image; a problem when the declared one is no row of this model. */
export function toImageInput(
  { image, layout }: ModelNotes['input'],
  rowShape: readonly number[],
): ImageInputResult {
  if (image === undefined) return { ok: true, value: null };
  const { width, height, resize, colors } = image;
  const elements = rowShape.reduce((all, size) => all * size, 1);
  const channels = elements / (width * height);
  if (!suits(channels, colors)) {
    const declared = [`${width} x ${height}`, ...(colors === undefined ? [] : [colors])].join(' ');
    return {
      ok: false,
      message: `input.image is ${declared}, but a row of the model is [${rowShape.join(', ')}]`,
    };
  }
  const isFirst = layout === undefined ? rowShape[0] === channels : layout === 'NCHW';
  return {
    ok: true,
    value: {
      width,
      height,
      channels,
      resize: resize ?? 'Cover',
      isBgr: colors === 'BGR',
      isChannelsFirst: channels > 1 && isFirst,
    },
  };
}

function suits(
  channels: number,
  colors: 'RGB' | 'BGR' | 'Gray' | undefined,
): channels is ImageInput['channels'] {
  if (colors === undefined) return channels === 1 || channels === 3;
  return channels === (colors === 'Gray' ? 1 : 3);
}

export function imageRowBytes({ width, height, channels }: ImageInput): number {
  return width * height * channels;
}
