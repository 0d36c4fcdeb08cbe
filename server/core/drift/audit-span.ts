// What a run of audited rows looked like: audits are drawn before content, so they stand for all traffic.
import { invariant } from '../invariant.ts';
import { scoreBin, SCORE_BINS } from '../score-bin.ts';

/** An audited row as far as drift shows in it. */
export interface SeenRow {
  /** Whether it leaves early at the lambda in force. */
  readonly leaves: boolean;
  /** Score q of the first exit, which every row reaches; not finite: of no bin. */
  readonly firstScore: number;
  readonly backboneClass: number;
  /** Probability that the backbone gives its class; not finite: not counted. */
  readonly backboneConfidence: number;
}

/** Number, sum and sum of squares of a quantity. */
export interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

/** So many of so many rows. */
export interface Share {
  readonly part: number;
  readonly rows: number;
}

/** Counts of a run of audited rows. */
export interface AuditSpan {
  readonly leaving: Share;
  /** [16] */
  readonly scoreBins: readonly number[];
  readonly classes: ReadonlyMap<number, number>;
  readonly confidence: Moments;
}

export interface AuditSpanCounter extends AuditSpan {
  add(row: SeenRow): void;
}

/** Opens the counts of a run; they can be read at any time. */
export function createAuditSpan(): AuditSpanCounter {
  const leaving = { part: 0, rows: 0 };
  const scoreBins = new Array<number>(SCORE_BINS).fill(0);
  const classes = new Map<number, number>();
  const confidence = { count: 0, sum: 0, squares: 0 };
  return {
    leaving,
    scoreBins,
    classes,
    confidence,
    add: ({ leaves, firstScore, backboneClass, backboneConfidence }) => {
      leaving.rows += 1;
      if (leaves) leaving.part += 1;
      classes.set(backboneClass, (classes.get(backboneClass) ?? 0) + 1);
      if (Number.isFinite(firstScore)) {
        const bin = scoreBin(firstScore);
        const counted = scoreBins[bin];
        invariant(counted !== undefined, `a score in bin ${bin}`);
        scoreBins[bin] = counted + 1;
      }
      if (!Number.isFinite(backboneConfidence)) return;
      confidence.count += 1;
      confidence.sum += backboneConfidence;
      confidence.squares += backboneConfidence ** 2;
    },
  };
}
