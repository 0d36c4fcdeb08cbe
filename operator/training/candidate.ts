/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split, exits from the data set */
import { denseMacs } from '../../server/core/head.ts';
import { exitScore } from '../../server/core/exit-score.ts';
import type { FittedCompanion, FittedHead } from './bundle.ts';
import { fitScore, fitTemperature } from './calibrate.ts';
import { rowsOf, spreadOver, targetsOf } from './compared-exit.ts';
import type { Dataset } from './dataset.ts';
import type { TrainedHead } from './head-job.ts';
import type { Prices } from './price.ts';
import type { SubsetHead } from './subset.ts';

/** A fitted head with what the choice of exits needs to know of it. */
export interface Candidate extends SubsetHead {
  readonly fitted: FittedHead | FittedCompanion;
  readonly exit: string;
  /** On the rows that it was judged on. */
  readonly disagreements: number;
  /** Milliseconds of the head, or of the companion, for one batch. */
  readonly ownMs: number;
}

/** Fits score and temperature on the head's validation rows, and scores these rows as a server would. */
export function toCandidate(
  head: TrainedHead,
  work: { readonly dataset: Dataset; readonly rows: Uint32Array; readonly prices: Prices },
): Candidate {
  const { dataset, rows, prices } = work;
  const { classCount, answerable } = dataset;
  const { validationLogits, found } = head;
  const source = dataset.exits.find(({ exit }) => exit.name === head.exit)!;
  const { teacherClass } = targetsOf(source, dataset);
  const classes = rowsOf(source, rows).map((row) => teacherClass[row]!);
  const { coefficients, auroc } = fitScore(validationLogits, classCount, found.agrees);
  const macs = denseMacs(head, classCount);
  const tensor = source.exit.tensor!;
  const scores = Float64Array.from(classes, (_, row) =>
    exitScore(validationLogits, row * classCount, { classCount, answerable, coefficients }),
  );
  return {
    fitted: {
      head,
      tensor,
      ...(source.exit.compares === undefined ? {} : { compares: source.exit.compares }),
      score: coefficients,
      temperature: fitTemperature(validationLogits, classCount, classes),
      auroc,
    },
    exit: head.exit,
    disagreements: found.disagreements,
    tensor,
    macs,
    headMs: prices.headMs(macs),
    ownMs: prices.headMs(macs),
    sizeBytes: sizeOf(head),
    // As in a server: without an earlier frame the exit is passed by, and a key frame runs to the end.
    scores: spreadOver(source, rows, scores, {
      into: new Float64Array(rows.length),
      otherwise: (isKeyFrame) => (isKeyFrame ? NaN : 0),
    }),
    agrees: spreadOver(source, rows, found.agrees, {
      into: new Uint8Array(rows.length),
      otherwise: () => 1,
    }),
  };
}

function sizeOf({ weights, mean, scale }: TrainedHead): number {
  const { w1, b1, w2, b2 } = weights;
  return [w1.values, b1, w2?.values, b2, mean, scale].reduce(
    (sum, array) => sum + (array?.byteLength ?? 0),
    0,
  );
}
