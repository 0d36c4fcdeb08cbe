import { dirname } from 'node:path';
import { createRandom } from '../../../server/core/random.ts';
import type { TrafficSource } from './source.ts';

/** Clips that are seen at the same time: a server forgets a source that is silent for 10 s, and of more each would be. */
const AT_ONCE = 64;

/** Rows of a source that knows none are one clip, in their order. */
const ONLY_CLIP = 'rows';

/** The clip that a picture is a frame of: its folder, or without one its name up to the number of the frame. @param file relative path */
export function clipOfPicture(file: string): string {
  const folder = dirname(file);
  if (folder !== '.') return folder.replaceAll('\\', '/');
  const name = file.replace(/\.[^.]+$/, '').replace(/[^\p{L}\p{N}]*\d+$/u, '');
  return name === '' ? ONLY_CLIP : name;
}

/** What a picture is sorted by; the file is the last. Made once of each, since a sort compares it a dozen times. */
export type FrameKeys = readonly [clip: string, padded: string, file: string];

export function frameKeys(file: string): FrameKeys {
  return [clipOfPicture(file), padded(file), file];
}

/** Clips in alphabetical order, frame 10 of a clip after its frame 9. Names that differ by zeros alone stay apart. */
export function compareFrames(a: FrameKeys, b: FrameKeys): number {
  for (const [i, key] of a.entries()) {
    const other = b[i] ?? '';
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

function padded(name: string): string {
  return name.replace(/\d+/g, (digits) => digits.padStart(16, '0'));
}

export function clipOf({ clips }: Pick<TrafficSource, 'clips'>, index: number): string {
  return clips?.[index] ?? ONLY_CLIP;
}

export function countClips({ clips = [ONLY_CLIP] }: Pick<TrafficSource, 'clips'>): number {
  return new Set(clips).size;
}

/**
 * Rows as cameras would send them: those of a clip in their order, clips side by side. All clips begin and end together, each as
 * often in turn as it is long, so that the mix of scenes is the same from the first row to the last; more than 64 are strung
 * together, in an order of the seed.
 */
export function interleaveClips(
  source: Pick<TrafficSource, 'clips' | 'rowCount'>,
  seed: number,
): Uint32Array {
  const clips = new Map<string, number[]>();
  for (let index = 0; index < source.rowCount; index++) {
    const name = clipOf(source, index);
    const frames = clips.get(name) ?? [];
    clips.set(name, frames);
    frames.push(index);
  }
  const lanes = stringTogether([...clips.values()], seed);
  const turns = lanes.flatMap((frames) =>
    frames.map((index, i) => ({ index, time: (i + 0.5) / frames.length })),
  );
  return Uint32Array.from(turns.sort((a, b) => a.time - b.time).map(({ index }) => index));
}

function stringTogether(clips: readonly number[][], seed: number): readonly number[][] {
  if (clips.length <= AT_ONCE) return clips;
  const order = Uint32Array.from(clips, (_, i) => i);
  createRandom(seed).shuffle(order);
  const lanes = Array.from({ length: AT_ONCE }, (): number[] => []);
  for (const i of order) {
    const shortest = lanes.reduce((a, b) => (b.length < a.length ? b : a));
    for (const index of clips[i] ?? []) shortest.push(index);
  }
  return lanes;
}
