import { createHash } from 'node:crypto';
import type { Cache } from '../exits/cache.ts';
import { SIDE } from './detector-model.ts';
import { framesOf, type FrameStream } from './frames.ts';
import { RECORDED_FROM, type Detector, type RecordedFrame } from './record-frames.ts';

export interface RecordedStream {
  readonly stream: Pick<FrameStream, 'name' | 'motion'>;
  readonly frames: readonly RecordedFrame[];
  /** Of the pixels of each frame. */
  readonly digests: readonly string[];
}

/** Runs the backbone over the streams, or reads what an earlier run kept. */
export async function recordStreams(
  streams: readonly FrameStream[],
  detector: Detector,
  cache: Cache,
): Promise<RecordedStream[]> {
  const recorded: RecordedStream[] = [];
  for (const stream of streams) {
    const { name, motion } = stream;
    const key = { backbone: detector.digest, stream, RECORDED_FROM };
    const kept = await cache('frames', key, () => record(stream, detector));
    recorded.push({ stream: { name, motion }, ...kept });
  }
  return recorded;
}

async function record(
  stream: FrameStream,
  detector: Detector,
): Promise<Omit<RecordedStream, 'stream'>> {
  const frames: RecordedFrame[] = [];
  const digests: string[] = [];
  for await (const pixels of framesOf(stream, SIDE)) {
    digests.push(createHash('sha1').update(pixels).digest('hex'));
    frames.push(detector.run(pixels));
  }
  process.stdout.write(`recorded ${stream.name}: ${frames.length} frames\n`);
  return { frames, digests };
}
