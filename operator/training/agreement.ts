/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers stay below the number of classes given */
import { argmax, scoreFeatures } from '../../server/core/score.ts';
import { auroc } from './auroc.ts';
import { lowRiskCoverage } from './coverage.ts';

/** How a head's classes compare with the backbone's, ranked by the head's largest probability. */
export interface Agreement {
  /** 1 where the head names the backbone's class. */
  readonly agrees: Uint8Array;
  readonly disagreements: number;
  /** Of "head agrees". */
  readonly auroc: number;
  readonly lowRiskCoverage: number;
}

/** Compares logits [rows, classCount] with the backbone's classes, one per row. */
export function agreement(
  logits: Float32Array,
  classes: Uint32Array,
  { classCount, budget }: { readonly classCount: number; readonly budget: number },
): Agreement {
  const agrees = new Uint8Array(classes.length);
  const scores = new Float64Array(classes.length);
  let disagreements = 0;
  for (let row = 0; row < classes.length; row++) {
    const offset = row * classCount;
    scores[row] = scoreFeatures(logits, offset, classCount).logitMax;
    agrees[row] = argmax(logits, offset, classCount) === classes[row]! ? 1 : 0;
    disagreements += 1 - agrees[row]!;
  }
  return {
    agrees,
    disagreements,
    auroc: auroc(scores, agrees),
    lowRiskCoverage: lowRiskCoverage(scores, agrees, budget),
  };
}
