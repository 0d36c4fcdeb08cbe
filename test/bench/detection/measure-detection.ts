// Exits of an object detector on frames of cameras: certificate, saving, what is lost, and what a change of scene does.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createDetector, isAlarm, updateLossDetector } from '../../../server/core/detector.ts';
import { WHOLE_LOSS } from '../../../crds/wire/agreement.ts';
import { decideRow } from '../../../server/core/decide.ts';
import { meanPrecision } from '../../../server/core/detection/average-precision.ts';
import type { Box } from '../../../server/core/detection/box.ts';
import { engineFolder } from '../../support/native-tensorflow.ts';
import { overBudgetBound } from '../../support/certificate-simulation.ts';
import { createCache } from '../exits/cache.ts';
import { atLeast, atMost, seen, type Figure } from '../figure.ts';
import { certify, cutIntoTicks, replayAttempts, toTicks } from './certify.ts';
import { fetchDetector, SIDE } from './detector-model.ts';
import { fitExits, type DetectorExits } from './fit-exits.ts';
import { framesOf, planFrames, planFog } from './frames.ts';
import { recordMarked } from './marked-images.ts';
import { openDetector, SCORE_CUT, type Detector, type SegmentTimes } from './record-frames.ts';
import { recordStreams, type RecordedStream } from './recorded-stream.ts';
import { EXITS, replayInterleaved, type FrameRow } from './replay-frames.ts';

const BUDGET = 0.02;
const CONFIDENCE = 0.95;
const ATTEMPTS = 1_000;
const LEAST_FRAMES = 5_000;
const LEAST_SAVED = 0.4;
const TIMED_RUNS = 40;
/** Audits of a pull. */
const WINDOW_ROWS = 30;
/** Of a service whose exits are live (exits.md 2). */
const ALARM_LEVEL = 20_000;

const TERMS = { budget: BUDGET, confidence: CONFIDENCE, attempt: 1, hasGrowingBursts: true };

const CACHE = join(homedir(), '.cache', 'layercache', 'bench-detection');

/** @param data folder with `video/`, a folder of frames per clip, and `coco_val/`, marked images. */
export async function measureDetection(data: string): Promise<Figure[]> {
  if (engineFolder === null) {
    process.stdout.write('detection is left out: layercache engines install comes first\n');
    return [];
  }
  const detector = await openDetector(fetchDetector(CACHE), engineFolder);
  try {
    return await measure(data, detector);
  } finally {
    detector.close();
  }
}

interface Priced {
  /** Shares of plain that a row costs that leaves at each exit, or stays. */
  readonly macs: readonly number[];
  readonly time: readonly number[];
}

async function measure(data: string, detector: Detector): Promise<Figure[]> {
  const cache = createCache(CACHE);
  const plan = planFrames(join(data, 'video'));
  const fitting = await recordStreams(plan.fitting, detector, cache);
  const serving = await recordStreams(plan.serving, detector, cache);
  const exits = await fitExits(fitting, detector, BUDGET);
  const rows = replayInterleaved(serving, exits);
  const prices = priceRows(detector, exits, await timesOf(detector, plan.serving));
  const stretches = cutIntoTicks(rows);
  const strict = TERMS;
  const terms = { ...TERMS, agreement: 'F1' } as const;
  const lambda = certify(toTicks(stretches, terms), terms).at(-1)?.lambdaIndex ?? null;
  const strictLambda = certify(toTicks(stretches, strict), strict).at(-1)?.lambdaIndex ?? null;
  const all = rows.flat();
  const fog = await recordStreams(planFog(join(data, 'video')), detector, cache);
  return [
    ...framesFigures(serving),
    ...sourceFigures(serving, exits, rows),
    ...promisedFigures(all, lambda, prices),
    ...rowFigures('all frames', all, lambda, prices),
    ...['Stands', 'Pans', 'Zooms'].flatMap((motion) => {
      const moving = all.filter((row) => row.motion === motion);
      return rowFigures(`camera ${motion.toLowerCase()}`, moving, lambda, prices);
    }),
    ...rowFigures('frames with objects', all.filter(hasObjects), lambda, prices),
    ...rowFigures(
      'frames without',
      all.filter((row) => !hasObjects(row)),
      lambda,
      prices,
    ),
    ...rowFigures('Strict: all frames', all, strictLambda, prices),
    ...[terms, strict].map((of) => {
      const agreement = 'agreement' in of ? of.agreement : 'Strict';
      const { attempts, overBudget, certified } = replayAttempts(
        toTicks(stretches, of),
        of,
        ATTEMPTS,
      );
      const name = `${agreement}: ${attempts} attempts, ${certified} certified: over budget`;
      const bound = Number(overBudgetBound(1 - CONFIDENCE, attempts).toPrecision(3));
      return atMost({ section: SECTION, name }, overBudget / attempts, bound);
    }),
    ...(await precisionFigures(join(data, 'coco_val'), detector, exits, lambda)),
    ...fogFigures(replayInterleaved(fog, exits), lambda, prices),
  ];
}

const SECTION = 'detection';
const hasObjects = ({ full }: FrameRow): boolean => full.length > 0;

async function timesOf(
  detector: Detector,
  [stream]: ReturnType<typeof planFrames>['serving'],
): Promise<SegmentTimes> {
  if (stream === undefined) throw new Error('no clips');
  for await (const pixels of framesOf(stream, SIDE)) return detector.measure(pixels, TIMED_RUNS);
  throw new Error(`${stream.name} has no frames`);
}

function priceRows(
  { share, macs }: Detector,
  { headMacs }: DetectorExits,
  { segments: [toFrame, toEmpty, toEnd], plain }: SegmentTimes,
): Priced {
  const head = headMacs / macs;
  return {
    macs: [share.frame, share.empty + head, 1 + head],
    time: [toFrame / plain, (toFrame + toEmpty) / plain, (toFrame + toEmpty + toEnd) / plain],
  };
}

function framesFigures(serving: readonly RecordedStream[]): Figure[] {
  const digests = new Set(serving.flatMap((stream) => stream.digests));
  return [
    atLeast({ section: SECTION, name: 'distinct frames of evidence' }, digests.size, LEAST_FRAMES),
  ];
}

/** Each source alone gives the same rows as all of them in turns. */
function sourceFigures(
  serving: readonly RecordedStream[],
  exits: DetectorExits,
  interleaved: readonly (readonly FrameRow[])[],
): Figure[] {
  const differing = serving.filter((stream, i) => {
    const [alone] = replayInterleaved([stream], exits);
    return JSON.stringify(alone) !== JSON.stringify(interleaved[i]);
  });
  return [
    atMost(
      { section: SECTION, name: 'sources that answer otherwise among others' },
      differing.length,
      0,
    ),
  ];
}

/** What becomes of a row at this lambda: where it leaves, `EXITS.length` = the backbone. */
function placeOf({ scores }: FrameRow, lambda: number | null): number {
  const exit = decideRow(scores, lambda, EXITS.length);
  return exit === -1 ? EXITS.length : exit;
}

const lossOf = (row: FrameRow, lambda: number | null): number =>
  (row.lossTenths[placeOf(row, lambda)] ?? 0) / WHOLE_LOSS;

const answerOf = (row: FrameRow, lambda: number | null): readonly Box[] =>
  row.answers[placeOf(row, lambda)] ?? row.full;

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rowFigures(
  of: string,
  rows: readonly FrameRow[],
  lambda: number | null,
  { macs, time }: Priced,
): Figure[] {
  const share = (name: string, values: readonly number[]): Figure =>
    seen({ section: SECTION, name: `${of}: ${name}` }, mean(values));
  const costs = (price: readonly number[]): number[] =>
    rows.map((row) => 1 - (price[placeOf(row, lambda)] ?? NaN));
  return [
    seen({ section: SECTION, name: `${of}: frames` }, rows.length),
    share('multiply-adds saved', costs(macs)),
    share('processor time saved', costs(time)),
    ...EXITS.map((exit, i) =>
      share(
        `leave as ${exit}`,
        rows.map((row) => (placeOf(row, lambda) === i ? 1 : 0)),
      ),
    ),
    share(
      'mean loss',
      rows.map((row) => lossOf(row, lambda)),
    ),
  ];
}

/** What the certified exits have to do on all frames together. */
function promisedFigures(
  rows: readonly FrameRow[],
  lambda: number | null,
  { macs }: Priced,
): Figure[] {
  const saved = 1 - mean(rows.map((row) => macs[placeOf(row, lambda)] ?? NaN));
  const loss = mean(rows.map((row) => lossOf(row, lambda)));
  return [
    atLeast({ section: SECTION, name: 'certified for 2 %: saved' }, saved, LEAST_SAVED),
    atMost({ section: SECTION, name: 'certified for 2 %: mean loss' }, loss, BUDGET),
  ];
}

/** Marked pictures one after the other, as from one source; boxes from the service's cut on, so lower than COCO's own figures. */
async function precisionFigures(
  folder: string,
  detector: Detector,
  exits: DetectorExits,
  lambda: number | null,
): Promise<Figure[]> {
  const pictures = await recordMarked(folder, detector);
  const stream = {
    stream: { name: 'marked', motion: 'Stands' as const },
    frames: pictures.map(({ frame }) => frame),
    digests: [],
  };
  const [rows = []] = replayInterleaved([stream], exits);
  const precision = (answer: (row: FrameRow) => readonly Box[]): Figure['value'][] => {
    const found = meanPrecision(
      rows.map((row, i) => ({ found: answer(row), marked: pictures[i]?.marked ?? [] })),
    );
    return [found?.at50 ?? NaN, found?.mean ?? NaN];
  };
  const full = precision((row) => row.full);
  const early = precision((row) => answerOf(row, lambda));
  const left = rows.filter((row) => placeOf(row, lambda) < EXITS.length).length;
  return [
    seen(
      { section: SECTION, name: `${rows.length} marked pictures: leave early` },
      left / rows.length,
    ),
    ...['at 0.5', 'at 0.5 to 0.95'].flatMap((at, i) => [
      seen({ section: SECTION, name: `mAP ${at}, cut ${SCORE_CUT}: backbone` }, full[i] ?? NaN),
      seen({ section: SECTION, name: `mAP ${at}, cut ${SCORE_CUT}: with exits` }, early[i] ?? NaN),
    ]),
  ];
}

/** The certified lambda in fog: how soon the alarm comes, and what the same exits are certified for there. */
function fogFigures(
  streams: readonly (readonly FrameRow[])[],
  lambda: number | null,
  prices: Priced,
): Figure[] {
  const rows = streams.flat();
  const terms = { ...TERMS, agreement: 'F1' } as const;
  const ticks = toTicks(cutIntoTicks(streams), terms);
  const again = certify(ticks, terms).at(-1)?.lambdaIndex ?? null;
  return [
    ...rowFigures('fog', rows, lambda, prices),
    seen({ section: SECTION, name: 'fog: audits to the alarm' }, auditsToAlarm(rows, lambda)),
    ...rowFigures('fog, certified anew', rows, again, prices),
  ];
}

/** Not a number: none came. */
function auditsToAlarm(rows: readonly FrameRow[], lambda: number | null): number {
  let state = createDetector(BUDGET);
  for (let from = 0; from + WINDOW_ROWS <= rows.length; from += WINDOW_ROWS) {
    const audits = new Array<number>(WHOLE_LOSS + 1).fill(0);
    for (const row of rows.slice(from, from + WINDOW_ROWS)) {
      const tenths = Math.round(lossOf(row, lambda) * WHOLE_LOSS);
      audits[tenths] = (audits[tenths] ?? 0) + 1;
    }
    state = updateLossDetector(state, { budget: BUDGET, audits, dispersion: 1 });
    if (isAlarm(state, ALARM_LEVEL, 1)) return from + WINDOW_ROWS;
  }
  return NaN;
}
