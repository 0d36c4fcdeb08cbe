/* eslint-disable @typescript-eslint/no-non-null-assertion -- tables have a row per batch size, row numbers come from the split */
import { STUDENT_EXIT } from '../../../crds/wire/student.ts';
import type { CompanionModel, CostTable } from '../../../crds/wire/state.ts';
import { exitScore } from '../../../server/core/exit-score.ts';
import { agreement } from '../agreement.ts';
import { fitScore, fitTemperature } from '../calibrate.ts';
import type { Candidate } from '../candidate.ts';
import type { Dataset } from '../dataset.ts';
import type { StudentFound } from './train-students.ts';

/**
 * Time that a multiply-add of a student takes, in terms of one of the backbone: narrow layers use a processor less well. Assumed, not
 * measured: it only ranks a student against heads, and servers measure what it costs once they run it.
 */
const SLOWNESS = 1.5;

/** A student as an exit to choose from, judged on the rows it was asked about. */
export function studentCandidate(
  { student, validationLogits, modelDigest }: StudentFound,
  work: {
    readonly dataset: Pick<Dataset, 'classCount' | 'answerable' | 'teacherClass'>;
    readonly rows: Uint32Array;
    readonly budget: number;
    readonly ownMs: number;
  },
): Candidate {
  const { dataset, rows, budget, ownMs } = work;
  const { classCount, answerable } = dataset;
  const classes = rows.map((row) => dataset.teacherClass[row]!);
  const found = agreement(validationLogits, classes, { classCount, budget });
  const { coefficients, auroc } = fitScore(validationLogits, classCount, found.agrees);
  return {
    fitted: {
      exit: STUDENT_EXIT,
      modelDigest,
      student,
      score: coefficients,
      temperature: fitTemperature(validationLogits, classCount, classes),
      auroc,
    },
    exit: STUDENT_EXIT,
    disagreements: found.disagreements,
    tensor: modelDigest,
    ...{ macs: 0, headMs: 0, sizeBytes: sizeOf(student), ownMs },
    scores: Float64Array.from(classes, (_, row) =>
      exitScore(validationLogits, row * classCount, { classCount, answerable, coefficients }),
    ),
    agrees: found.agrees,
  };
}

function sizeOf({ convolutions, dense }: StudentFound['student']): number {
  const matrices = [...convolutions.map(({ weights }) => weights), dense];
  return matrices.reduce((sum, { values, columns }) => sum + values.byteLength + 4 * columns, 0);
}

/** The table as it would be with this student before the backbone. A table with companions of its own is not extended. */
export function withStudent(costs: CostTable, modelDigest: string, macsShare: number): CostTable {
  const before = (rows: readonly (readonly number[])[], of: (size: number) => number) =>
    rows.map((row, size) => [of(size), ...row]);
  return {
    ...costs,
    cuts: [modelDigest, ...costs.cuts],
    segmentMs: before(costs.segmentMs, (size) => SLOWNESS * macsShare * costs.plainMs[size]!),
    headMs: before(costs.headMs, () => 0),
    compactMs: before(costs.compactMs, () => 0),
    companions: 1,
  };
}

/**
 * The table without students that a server runs already: to what is trained next they are what came of an earlier training, not
 * companions of the service. @param companions those of the service, which stay
 */
export function withoutStudents(
  costs: CostTable,
  companions: readonly Pick<CompanionModel, 'digest'>[],
): CostTable {
  const { companions: before = 0, ...table } = costs;
  const isKept = costs.cuts.map(
    (place, cut) => cut >= before || companions.some(({ digest }) => digest === place),
  );
  const own = isKept.slice(0, before).filter(Boolean).length;
  // Segments are one more than cuts: the last one ends at the output.
  const columns = (rows: CostTable['headMs']): number[][] =>
    rows.map((row) => row.filter((_, place) => isKept[place] ?? true));
  return {
    ...table,
    cuts: costs.cuts.filter((_, cut) => isKept[cut]),
    segmentMs: columns(costs.segmentMs),
    headMs: columns(costs.headMs),
    compactMs: columns(costs.compactMs),
    ...(own === 0 ? {} : { companions: own }),
  };
}
