import type { TensorSpec } from '../../../crds/wire/state.ts';
import { CliError } from '../../errors.ts';
import type { ModelDescriptionFile } from './model-description.ts';

/** How a picture becomes a row of bytes, height x width x channels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Cover: scaled and cut to the middle; Contain: scaled, borders black; Fill: stretched. */
  readonly resize: 'Cover' | 'Contain' | 'Fill';
  readonly isBgr: boolean;
}

/**
 * From `input.image` of layercache.json, else from the model's input: three axes of a known size, one of them 1 or 3 channels.
 * `where` names the source in errors.
 */
export function pictureSize(
  { input }: ModelDescriptionFile,
  inputs: readonly TensorSpec[],
  where: string,
): PictureSize {
  const image = input?.image;
  const shape = channelShape(inputs, input?.layout);
  const { width, height } = image ?? shape;
  const channels = channelsOf(image?.colors, shape);
  if (width <= 0 || height <= 0 || channels === null) {
    throw new CliError('TrafficWrongShape', {
      where,
      why: 'the size of a picture is not known: the input of the backbone is no picture of fixed size.',
      nextStep:
        'Name it in layercache.json beside the model: input.image with width, height and colors.',
    });
  }
  return { width, height, channels, ...lookOf(image) };
}

type ImageNotes = NonNullable<NonNullable<ModelDescriptionFile['input']>['image']>;

function lookOf(image: ImageNotes | undefined): Pick<PictureSize, 'resize' | 'isBgr'> {
  return { resize: image?.resize ?? 'Cover', isBgr: image?.colors === 'BGR' };
}

function channelsOf(
  colors: 'RGB' | 'BGR' | 'Gray' | undefined,
  { channels }: ChannelShape,
): PictureSize['channels'] | null {
  if (colors !== undefined) return colors === 'Gray' ? 1 : 3;
  return channels === 1 || channels === 3 ? channels : null;
}

interface ChannelShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

function channelShape(
  inputs: readonly TensorSpec[],
  layout: 'NCHW' | 'NHWC' | undefined,
): ChannelShape {
  const shape = inputs[0]?.shape.slice(1) ?? [];
  if (shape.length === 2) return channelsFirst([1, ...shape]);
  if (shape.length !== 3) return { height: 0, width: 0, channels: 0 };
  const last = shape.at(-1);
  const isLast = layout === undefined ? last === 1 || last === 3 : layout === 'NHWC';
  return channelsFirst(isLast ? [...shape.slice(-1), ...shape.slice(0, 2)] : shape);
}

function channelsFirst([channels = 0, height = 0, width = 0]: readonly number[]): ChannelShape {
  return { height, width, channels };
}
