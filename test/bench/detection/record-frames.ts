// The backbone on every frame of some streams, once: what exits read of it, and its boxes.
import { encodeHalf } from '../../../crds/wire/half-float.ts';
import type { FoundCut } from '../../../server/core/graph/find-cuts.ts';
import type { Box } from '../../../server/core/detection/box.ts';
import { decodeCenters } from '../../../server/core/detection/heat-map.ts';
import { suppress } from '../../../server/core/detection/suppress.ts';
import { TensorFlowRuntime } from '../../../server/engine/tensorflow/tensorflow-runtime.ts';
import { quantile } from '../median.ts';
import { CLASS_COUNT, CUTS, MAP_SIDE, OUTPUTS, STRIDE } from './detector-model.ts';

/** Score from which a box of the backbone is an answer: the service's cut. */
export const SCORE_CUT = 0.4;
/** Peaks are recorded from here on: those near the cut tell what flickers. */
export const RECORDED_FROM = 0.3;
const SUPPRESSED_ABOVE = 0.5;
const MAX_BOXES = 100;
export const POOL = 4;

export interface RecordedFrame {
  /** fp16 bits of the pooled features at the first cut. */
  readonly frame: Uint16Array;
  /** fp16 bits of those that the empty head reads. */
  readonly empty: Uint16Array;
  /** After suppression, those below the cut too. */
  readonly peaks: readonly Box[];
}

export interface SegmentTimes {
  /** To the first cut, from there to the second, to the boxes. */
  readonly segments: readonly [number, number, number];
  readonly plain: number;
}

/** A detector in segments, from cut to cut. */
export interface Detector {
  readonly digest: string;
  readonly macs: number;
  /** Share of the multiply-adds up to each cut. */
  readonly share: Readonly<Record<keyof typeof CUTS, number>>;
  readonly channels: Readonly<Record<keyof typeof CUTS, number>>;
  /** @param pixels u8 RGB of one picture. */
  readonly run: (pixels: Uint8Array) => RecordedFrame;
  /** Processor milliseconds, median: of the segments, and of the backbone in one piece. */
  readonly measure: (pixels: Uint8Array, runs: number) => SegmentTimes;
  readonly close: () => void;
}

export async function openDetector(path: string, engineFolder: string): Promise<Detector> {
  const runtime = new TensorFlowRuntime(engineFolder, 'cpu');
  const { search, description } = await runtime.open({ path, outputName: null, digest: null });
  const cutAt = (tensor: string): FoundCut => {
    const found = search.cuts.find((cut) => cut.tensor === tensor);
    if (found === undefined) throw new Error(`${path} has no cut at ${tensor}`);
    return found;
  };
  const [frameCut, emptyCut] = [cutAt(CUTS.frame), cutAt(CUTS.empty)];
  const first = runtime.build(null, { cut: frameCut, pools: [POOL] });
  const second = runtime.build(frameCut, { cut: emptyCut, pools: [POOL] });
  const last = runtime.build(emptyCut, null);
  const whole = runtime.build(null, null);
  const names = description.outputs.map(({ name }) => name);
  const upload = (pixels: Uint8Array) => runtime.upload(Float32Array.from(pixels), 1);

  const peaksOf = (outputs: readonly Float32Array[]): readonly Box[] =>
    toPeaks(
      outputs[names.indexOf(OUTPUTS.scores)] ?? new Float32Array(),
      outputs[names.indexOf(OUTPUTS.extents)] ?? new Float32Array(),
    );

  const run = (pixels: Uint8Array): RecordedFrame => {
    const input = upload(pixels);
    const a = first.run(input, [POOL]);
    runtime.free(input);
    const b = second.run(a.value, [POOL]);
    runtime.free(a.value);
    const outputs = last.finish(b.value);
    runtime.free(b.value);
    return {
      frame: encodeHalf(a.pooled.get(POOL) ?? new Float32Array()),
      empty: encodeHalf(b.pooled.get(POOL) ?? new Float32Array()),
      peaks: peaksOf(outputs),
    };
  };
  return {
    digest: description.digest,
    macs: description.macs,
    share: { frame: frameCut.macsShare, empty: emptyCut.macsShare },
    channels: { frame: frameCut.channels, empty: emptyCut.channels },
    run,
    measure: (pixels, runs) => {
      const taken: [number[], number[], number[], number[]] = [[], [], [], []];
      const timed = <T>(times: number[], work: () => T): T => {
        const start = process.cpuUsage();
        const result = work();
        const { user, system } = process.cpuUsage(start);
        times.push((user + system) / 1000);
        return result;
      };
      for (let i = 0; i < runs; i++) {
        const input = upload(pixels);
        const a = timed(taken[0], () => first.run(input, [POOL]));
        const b = timed(taken[1], () => second.run(a.value, [POOL]));
        timed(taken[2], () => peaksOf(last.finish(b.value)));
        timed(taken[3], () => peaksOf(whole.finish(input)));
        for (const value of [input, a.value, b.value]) runtime.free(value);
      }
      const [one, two, three, plain] = taken.map((times) => quantile(times, 0.5));
      return { segments: [one ?? NaN, two ?? NaN, three ?? NaN], plain: plain ?? NaN };
    },
    close: () => {
      for (const segment of [first, second, last, whole]) segment.release();
      runtime.close();
    },
  };
}

function toPeaks(scores: Float32Array, extents: Float32Array): readonly Box[] {
  const shape = { height: MAP_SIDE, width: MAP_SIDE, classCount: CLASS_COUNT, stride: STRIDE };
  const centers = decodeCenters(
    { ...shape, scores, extents },
    { cut: RECORDED_FROM, maxBoxes: MAX_BOXES },
  );
  return suppress(centers, SUPPRESSED_ABOVE);
}
