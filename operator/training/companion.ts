/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split */
// Companions have class scores of their own, so nothing of them is trained: score and temperature are fitted (exits.md 4.9).
import { fromHalf } from '../../crds/wire/half-float.ts';
import { exitScore } from '../../server/core/exit-score.ts';
import { agreement } from './agreement.ts';
import { fitScore, fitTemperature } from './calibrate.ts';
import type { Candidate } from './candidate.ts';
import type { Dataset, DatasetExit } from './dataset.ts';
import type { Prices } from './price.ts';

/** Companions among the exits of the samples, in the order in which servers run them. */
export function companionCandidates(work: {
  readonly dataset: Dataset;
  /** Rows that score and temperature are fitted on, and that are scored. */
  readonly rows: Uint32Array;
  readonly prices: Prices;
  readonly budget: number;
}): readonly Candidate[] {
  const { dataset, prices } = work;
  return dataset.exits
    .filter(({ exit }) => exit.modelDigest !== null)
    .map((source) => toCandidate(source, work))
    .sort((a, b) => prices.orderOf(a.tensor) - prices.orderOf(b.tensor));
}

function toCandidate(
  { exit, features }: DatasetExit,
  { dataset, rows, prices, budget }: Parameters<typeof companionCandidates>[0],
): Candidate {
  const { classCount, answerable } = dataset;
  const logits = new Float32Array(rows.length * classCount);
  for (const [i, row] of rows.entries()) {
    for (let c = 0; c < classCount; c++) {
      logits[i * classCount + c] = fromHalf(features[row * classCount + c]!);
    }
  }
  const classes = rows.map((row) => dataset.teacherClass[row]!);
  const found = agreement(logits, classes, { classCount, budget });
  const { coefficients, auroc } = fitScore(logits, classCount, found.agrees);
  const modelDigest = exit.modelDigest!;
  return {
    fitted: {
      exit: exit.name,
      modelDigest,
      score: coefficients,
      temperature: fitTemperature(logits, classCount, classes),
      auroc,
    },
    exit: exit.name,
    disagreements: found.disagreements,
    tensor: modelDigest,
    ...{ macs: 0, headMs: 0, sizeBytes: 0, ownMs: prices.ownMs(modelDigest) },
    scores: Float64Array.from(classes, (_, row) =>
      exitScore(logits, row * classCount, { classCount, answerable, coefficients }),
    ),
    agrees: found.agrees,
  };
}
