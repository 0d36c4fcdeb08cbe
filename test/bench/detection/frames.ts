// Frames of cameras, made of two short clips: each stream sees a clip through a window of its own that stands, pans or zooms, in
// its own light and compression. Seeded, so that equal folders give equal frames.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../../server/core/random.ts';

export type Motion = 'Stands' | 'Pans' | 'Zooms';

const MOTIONS: readonly Motion[] = ['Stands', 'Pans', 'Zooms'];

/** How one camera looks at a clip. */
export interface FrameStream {
  readonly name: string;
  readonly motion: Motion;
  /** Files of the frames in order. */
  readonly files: readonly string[];
  readonly seed: readonly number[];
  /** Share of the contrast that is lost to grey; absent: none. */
  readonly fog?: number;
}

const FOG = 0.7;
const FOG_GREY = 160;

/** Streams of each clip. The first are for fitting, the others for evidence. */
const STREAMS_PER_CLIP = 23;
const FITTING_STREAMS = 8;

export interface FramePlan {
  readonly fitting: readonly FrameStream[];
  readonly serving: readonly FrameStream[];
}

/** @param folder with one folder of frames per clip. */
export function planFrames(folder: string): FramePlan {
  const clips = readdirSync(folder).sort();
  const streams = (numbers: readonly number[]): FrameStream[] =>
    clips.flatMap((clip, clipIndex) =>
      numbers.map((i) => ({
        name: `${clip}-${i}`,
        motion: MOTIONS[i % MOTIONS.length] ?? 'Stands',
        files: imagesIn(join(folder, clip)),
        seed: [20_261_126, clipIndex, i],
      })),
    );
  const numbers = Array.from({ length: STREAMS_PER_CLIP }, (_, i) => i);
  return {
    fitting: streams(numbers.slice(0, FITTING_STREAMS)),
    serving: streams(numbers.slice(FITTING_STREAMS)),
  };
}

/** Further cameras of the same clips that fog has come over, one after the other. */
export function planFog(folder: string): FrameStream[] {
  return readdirSync(folder)
    .sort()
    .flatMap((clip, clipIndex) =>
      MOTIONS.map((motion, i) => ({
        ...{ name: `${clip}-fog-${i}`, motion, files: imagesIn(join(folder, clip)) },
        ...{ seed: [20_261_126, clipIndex, 100 + i], fog: FOG },
      })),
    );
}

/** Frames of a folder in the order of their names. */
export function imagesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(folder, name));
}

interface View {
  /** Shares of the picture. */
  readonly left: number;
  readonly top: number;
  readonly size: number;
  readonly brightness: number;
  readonly quality: number;
  readonly isMirrored: boolean;
}

/** Frames in which a pan or a zoom goes once there and back: at 10 frames a second, a minute. */
const MOTION_FRAMES = 600;

function viewsOf({ motion, files, seed }: FrameStream): View[] {
  const random = createRandom(seed);
  const [size, across, down] = [0.7 + 0.25 * random.uniform(), random.uniform(), random.uniform()];
  const brightness = 0.75 + 0.5 * random.uniform();
  const quality = 60 + Math.floor(36 * random.uniform());
  const isMirrored = random.uniform() < 0.5;
  const phase = 2 * Math.PI * random.uniform();
  return files.map((_, frame) => {
    const wave = 0.5 + 0.5 * Math.sin(phase + (2 * Math.PI * frame) / MOTION_FRAMES);
    const zoomed = motion === 'Zooms' ? 0.6 + 0.4 * wave : size;
    const x = motion === 'Pans' ? wave : across;
    // Daylight goes by a tenth in a clip; no two frames have the same light.
    const light = brightness * (1 + (0.1 * frame) / files.length);
    const place = { left: x * (1 - zoomed), top: down * (1 - zoomed), size: zoomed };
    return { ...place, brightness: light, quality, isMirrored };
  });
}

/** Frames of a stream as the model takes them: u8 RGB, [side, side, 3]. */
export async function* framesOf(stream: FrameStream, side: number): AsyncGenerator<Uint8Array> {
  const views = viewsOf(stream);
  for (const [index, file] of stream.files.entries()) {
    const view = views[index];
    if (view !== undefined) yield await seenFrame(file, view, { side, fog: stream.fog ?? 0 });
  }
}

async function seenFrame(
  file: string,
  view: View,
  { side, fog }: { readonly side: number; readonly fog: number },
): Promise<Uint8Array> {
  const { width, height } = await sharp(file).metadata();
  const window = {
    left: Math.round(view.left * width),
    top: Math.round(view.top * height),
    width: Math.floor(view.size * width),
    height: Math.floor(view.size * height),
  };
  const picture = sharp(file)
    .extract(window)
    .flop(view.isMirrored)
    .resize(side, side, { fit: 'fill', kernel: 'linear' })
    .linear(view.brightness * (1 - fog), FOG_GREY * fog);
  return decoded(await picture.jpeg({ quality: view.quality }).toBuffer(), side);
}

/** A picture stretched to the model's size, as its authors do it. */
export async function decoded(picture: string | Uint8Array, side: number): Promise<Uint8Array> {
  return sharp(picture)
    .resize(side, side, { fit: 'fill', kernel: 'linear' })
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer();
}
