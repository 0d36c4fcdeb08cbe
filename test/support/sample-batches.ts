// Samples of an imagined backbone: class prototypes in feature space, noisier at earlier exits.
import { encodeHalf } from '../../crds/wire/half-float.ts';
import type { SampleBatch, SampleExit } from '../../crds/wire/samples.ts';
import type { CostTable } from '../../crds/wire/state.ts';
import { BACKBONE_DIGEST } from './builders.ts';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

export interface ImaginedExit {
  readonly name: string;
  /** Standard deviation of the features around the prototype of the backbone's class; Infinity: nothing to see. */
  readonly noise: number;
  /** A companion of this digest: its log-probabilities are the backbone's with that noise on the logits. */
  readonly companion?: string;
}

export interface SampleOptions {
  readonly rows?: number;
  readonly classCount?: number;
  readonly exits?: readonly ImaginedExit[];
  readonly podUid?: string;
  readonly bootId?: string;
  readonly seed?: number;
  /** Rows a minute; the default keeps all in the first. */
  readonly rowsPerMinute?: number;
  readonly rowsSeen?: number;
  readonly firstSequence?: number;
}

export const IMAGINED_EXITS: readonly ImaginedExit[] = [
  { name: 'early', noise: 1.2 },
  { name: 'late', noise: 0.5 },
];

const CHANNELS = 4;
const POOL = 2;

function anExit({ name, companion }: ImaginedExit, classCount: number): SampleExit {
  if (companion !== undefined) {
    return {
      ...{ name, tensor: null, modelDigest: companion },
      ...{ pool: 1, channels: classCount, height: 1, width: 1, featureCount: classCount },
    };
  }
  return {
    name,
    tensor: `tensor.${name}`,
    modelDigest: null,
    pool: POOL,
    channels: CHANNELS,
    height: 7,
    width: 7,
    featureCount: POOL * POOL * CHANNELS,
  };
}

/** Prototypes are the same for every seed, so that pods see one world. */
function prototypes(classCount: number): Float32Array {
  const random = seededRandom(99);
  return Float32Array.from({ length: classCount * POOL * POOL * CHANNELS }, () => random.normal());
}

function logProbabilities(random: SeededRandom, classCount: number, winner: number): number[] {
  const logits = Array.from(
    { length: classCount },
    (_, c) => random.normal() + (c === winner ? 6 : 0),
  );
  const total = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
  return logits.map((z) => z - total);
}

export function aSampleBatch(options: SampleOptions = {}): SampleBatch {
  const {
    rows = 400,
    classCount = 4,
    exits = IMAGINED_EXITS,
    seed = 1,
    firstSequence = 1,
  } = options;
  const random = seededRandom([seed, rows]);
  const width = POOL * POOL * CHANNELS;
  const centres = prototypes(classCount);
  const teacher = Array.from({ length: rows }, () =>
    logProbabilities(random, classCount, Math.floor(random.uniform() * classCount)),
  );
  const classes = teacher.map((row) => row.indexOf(Math.max(...row)));
  const featuresAt = (noise: number): Float32Array =>
    Float32Array.from({ length: rows * width }, (_, i) => {
      const centre = centres[classes[Math.floor(i / width)]! * width + (i % width)]!;
      return noise === Infinity ? random.normal() : centre + noise * random.normal();
    });
  return {
    schemaVersion: 1,
    podUid: options.podUid ?? 'pod-a',
    bootId: options.bootId ?? 'boot-1',
    part: 'long',
    backboneDigest: BACKBONE_DIGEST,
    classCount,
    topCount: classCount,
    exits: exits.map((exit) => anExit(exit, classCount)),
    rowCount: rows,
    rowsSeen: options.rowsSeen ?? rows,
    nextAfter: firstSequence + rows - 1,
    sequence: Float64Array.from({ length: rows }, (_, i) => firstSequence + i),
    minute: Uint32Array.from({ length: rows }, (_, i) =>
      Math.floor(i / (options.rowsPerMinute ?? Infinity)),
    ),
    teacherClass: Uint32Array.from(classes),
    teacherTopClasses: new Uint32Array(0),
    teacherLogProbabilities: Float32Array.from(teacher.flat()),
    features: exits.map(({ noise, companion }) =>
      encodeHalf(
        companion === undefined
          ? featuresAt(noise)
          : Float32Array.from(teacher.flat(), (z) => z + noise * random.normal()),
      ),
    ),
  };
}

/** The rows from..to of a batch as a batch of their own. */
export function sliceBatch(batch: SampleBatch, from: number, to: number): SampleBatch {
  const { topCount } = batch;
  return {
    ...batch,
    rowCount: to - from,
    nextAfter: batch.sequence[to - 1] ?? batch.nextAfter,
    sequence: batch.sequence.slice(from, to),
    minute: batch.minute.slice(from, to),
    teacherClass: batch.teacherClass.slice(from, to),
    teacherLogProbabilities: batch.teacherLogProbabilities.slice(from * topCount, to * topCount),
    features: batch.features.map((bits, e) => {
      const width = batch.exits[e]!.featureCount;
      return bits.slice(from * width, to * width);
    }),
  };
}

/** Costs of a backbone of 4 ms: one cut per exit, evenly spaced. */
export function evenCosts(
  exits: readonly string[],
  plainMs = 4,
): {
  readonly batchSizes: number[];
  readonly cuts: string[];
  readonly plainMs: number[];
  readonly segmentMs: number[][];
  readonly headMs: number[][];
  readonly compactMs: number[][];
} {
  const part = plainMs / (exits.length + 1);
  return {
    batchSizes: [1, 8],
    cuts: exits.map((name) => `tensor.${name}`),
    plainMs: [plainMs, 8 * plainMs],
    segmentMs: [1, 8].map((b) => Array.from({ length: exits.length + 1 }, () => b * part)),
    headMs: [1, 8].map(() => exits.map(() => 0)),
    compactMs: [1, 8].map(() => exits.map(() => 0)),
  };
}

/** The same with a companion before the backbone that takes this share of its time. */
export function withCompanionCosts(costs: CostTable, digest: string, share: number): CostTable {
  const before = (table: CostTable['headMs'], of: (row: number) => number): number[][] =>
    table.map((row, b) => [of(b), ...row]);
  return {
    ...costs,
    cuts: [digest, ...costs.cuts],
    segmentMs: before(costs.segmentMs, (b) => share * costs.plainMs[b]!),
    headMs: before(costs.headMs, () => 0),
    compactMs: before(costs.compactMs, () => 0),
    companions: 1 + (costs.companions ?? 0),
  };
}
