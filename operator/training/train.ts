/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import type { InputBatch } from '../../crds/wire/inputs.ts';
import { encodeHeadBundle, type HeadBundle } from '../../crds/wire/head-bundle.ts';
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import type { SampleBatch } from '../../crds/wire/samples.ts';
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import { assembleBundle } from './bundle.ts';
import { toCandidate, type Candidate } from './candidate.ts';
import { companionCandidates } from './companion.ts';
import { mergeSamples, type Dataset } from './dataset.ts';
import type { HeadJobRunner } from './head-job.ts';
import { createPrices, type Prices } from './price.ts';
import { searchHeads, trainOnAllRows, type SearchTask } from './search.ts';
import { GROUP_MINUTES, LEAST_ROWS, VALIDATION_SHARE } from './settings.ts';
import { createSha256, textBytes } from './sha256.ts';
import { splitRows, type Split } from './split.ts';
import { studentCandidate, withStudent } from './student/student-candidate.ts';
import type { StudentJobRunner } from './student/student-job.ts';
import { joinInputs, type StudentRows } from './student/student-rows.ts';
import { trainStudents, type StudentsOutcome } from './student/train-students.ts';
import { chooseSubset, type SubsetChoice, type SubsetLimits } from './subset.ts';

export interface TrainingSettings {
  readonly budget: number;
  readonly maxActiveExits: number;
  /** Predicted net saving below which there is no revision, share of plain time. */
  readonly minSaving: number;
  /** Share of plain time that all heads may cost. */
  readonly maxOverhead: number;
  readonly maxBundleBytes: number;
}

export type TrainingStage = 'Merging' | 'Searching' | 'Choosing';

export interface TrainingInput {
  readonly batches: readonly SampleBatch[];
  /** Of the plan that sampled: its cuts are the candidate exits. */
  readonly costs: CostTable;
  readonly headCost: ServerState['headCost'];
  /** Batch size in which most requests arrive. */
  readonly plainBatch: number;
  readonly backboneDigest: string;
  readonly classCount: number;
  readonly settings: TrainingSettings;
  readonly seed: number;
  readonly trainerVersion: string;
  /** Head revision in force, for provenance. */
  readonly parent: string | null;
  /** Absent: the service wants no student. */
  readonly student?: StudentWish;
  readonly onProgress: (stage: TrainingStage, fraction: number) => void;
}

/** What a student is made of. */
export interface StudentWish {
  readonly inputs: readonly InputBatch[];
  readonly backboneMacs: number;
  readonly runJob: StudentJobRunner;
}

/** What a person wants to know of a training; also of one that gave nothing. */
export interface TrainingSummary {
  readonly rows: number;
  readonly droppedRows: number;
  readonly trainingRows: number;
  readonly validationRows: number;
  /** Every exit that got a head, chosen or not, companions and then in backbone order. */
  readonly exits: readonly {
    readonly exit: string;
    readonly pool: number;
    readonly hidden: number;
    readonly headMs: number;
    readonly auroc: number;
    readonly agreement: number;
    readonly isChosen: boolean;
  }[];
  /** Why no student was tried; null: one was, or none is wanted. */
  readonly noStudent: string | null;
  /** On validation rows at 0.7 of the budget. */
  readonly predictedSaving: number | null;
  readonly lambda: number | null;
}

export type TrainingOutcome =
  | {
      readonly kind: 'Trained';
      readonly bundle: HeadBundle;
      readonly bytes: Uint8Array;
      readonly summary: TrainingSummary;
    }
  | {
      readonly kind: 'NotBetter' | 'TooFewRows';
      readonly message: string;
      readonly summary: TrainingSummary;
    };

/** A head that ranks agreement worse than this is not an exit (exits.md 4.4). */
const LEAST_AUROC = 0.6;
/** Fewer disagreements say nothing about ranking: such a head is simply good. */
const RANKED_DISAGREEMENTS = 10;
/** All heads together may always cost this much per row, above their fixed parts. */
const LEAST_HEADS_MS = 0.15;
/** Manifest of a bundle besides its weights, roughly. */
const MANIFEST_BYTES = 16 * 1024;

/**
 * Samples in, bundle out (exits.md 4). Pure: heavy work goes through `runJob`, and equal samples, settings and seed give equal
 * bytes whatever the order of batches and however many jobs run at once.
 */
export async function trainHeads(
  input: TrainingInput,
  runJob: HeadJobRunner,
): Promise<TrainingOutcome> {
  input.onProgress('Merging', 0);
  const dataset = mergeSamples(input.batches, input);
  const { student, backboneDigest } = input;
  const held = student === undefined ? null : joinInputs(dataset, student.inputs, backboneDigest);
  const split = splitRows(dataset, {
    seed: input.seed,
    validationShare: VALIDATION_SHARE,
    groupMinutes: GROUP_MINUTES,
    // Inputs are those of the last minutes: whole minutes alone could leave a student without rows that judge it.
    ...(held === null ? {} : { isApart: (row) => held.place[row]! >= 0 }),
  });
  if (dataset.rowCount < LEAST_ROWS) {
    const message = `${dataset.rowCount} usable rows, training needs at least ${LEAST_ROWS}: send more traffic.`;
    return {
      kind: 'TooFewRows',
      message,
      summary: summarise({ dataset, split, candidates: [], noStudent: null }, null),
    };
  }
  const prices = createPrices(input.costs, input.headCost, input.plainBatch);
  const task: SearchTask = {
    dataset,
    split,
    prices,
    limits: limitsOf(input.settings, prices),
    seed: [input.seed, Number.parseInt(dataset.digest.slice(0, 8), 16)],
  };
  // Students take longest, so they begin.
  const [students, heads] = await Promise.all([
    findStudents(input, task, held),
    searchHeads(task, runJob, (fraction) => {
      input.onProgress('Searching', fraction);
    }),
  ]);
  input.onProgress('Choosing', 1);
  const rows = split.validation;
  const candidates = [
    ...companionCandidates({ dataset, rows, prices, budget: input.settings.budget }),
    ...heads.map((head) => toCandidate(head, { dataset, rows, prices })),
  ].filter(ranksAgreement);
  const noStudent = students === null || students.ok ? null : students.message;
  const works = [
    { task, candidates, noStudent },
    ...(students?.ok === true ? withStudents(input, { task, candidates }, students) : []),
  ];
  return conclude(input, works, runJob);
}

/** Null: none is wanted. */
async function findStudents(
  { student, costs }: TrainingInput,
  { dataset, split, seed }: SearchTask,
  rows: StudentRows | null,
): Promise<StudentsOutcome | null> {
  if (student === undefined) return null;
  if ((costs.companions ?? 0) > 0) {
    return { ok: false, message: 'The service has companions of its own: no student beside them.' };
  }
  if (rows === null) {
    const message = 'Servers hold no inputs of these rows, or rows are no pictures: no student.';
    return { ok: false, message };
  }
  const { backboneMacs } = student;
  return trainStudents({ dataset, split, rows, backboneMacs, seed }, student.runJob);
}

/** What there is to choose from with each student, on the rows that it was asked about. */
function withStudents(
  { costs, headCost, plainBatch, settings }: TrainingInput,
  { task, candidates }: Omit<Work, 'noStudent'>,
  { students, validationRows, backboneMacs }: Extract<StudentsOutcome, { ok: true }>,
): readonly Work[] {
  const { dataset, split } = task;
  const asked = new Set(validationRows);
  const kept = [...split.validation.keys()].filter((i) => asked.has(split.validation[i]!));
  const others = candidates.map((candidate) => ({
    ...candidate,
    scores: Float64Array.from(kept, (i) => candidate.scores[i]!),
    agrees: Uint8Array.from(kept, (i) => candidate.agrees[i]!),
  }));
  return students.flatMap((found) => {
    const table = withStudent(costs, found.modelDigest, found.macs / backboneMacs);
    const prices = createPrices(table, headCost, plainBatch);
    const own = studentCandidate(found, {
      dataset,
      rows: validationRows,
      budget: settings.budget,
      ownMs: prices.ownMs(found.modelDigest),
    });
    if (!ranksAgreement(own)) return [];
    return [{ task: { ...task, prices }, candidates: [own, ...others], noStudent: null }];
  });
}

interface Seen {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly candidates: readonly Candidate[];
  readonly noStudent: string | null;
}

interface Work {
  readonly task: SearchTask;
  readonly candidates: readonly Candidate[];
  readonly noStudent: string | null;
}

function ranksAgreement({ fitted, disagreements }: Candidate): boolean {
  return disagreements < RANKED_DISAGREEMENTS || fitted.auroc >= LEAST_AUROC;
}

function limitsOf(
  settings: TrainingSettings,
  { plainMs, batchRows, headMs }: Prices,
): SubsetLimits {
  return {
    budget: settings.budget,
    maxActiveExits: settings.maxActiveExits,
    maxBytes: settings.maxBundleBytes - MANIFEST_BYTES,
    maxHeadMs:
      Math.max(settings.maxOverhead * plainMs, LEAST_HEADS_MS * batchRows) +
      settings.maxActiveExits * headMs(0),
  };
}

async function conclude(
  input: TrainingInput,
  works: readonly Work[],
  runJob: HeadJobRunner,
): Promise<TrainingOutcome> {
  const { settings } = input;
  const { task, candidates, noStudent, choice } = bestOf(works);
  const work = { ...task, candidates, noStudent };
  const summary = summarise(work, choice);
  if (choice === null || choice.saving < settings.minSaving) {
    return { kind: 'NotBetter', message: notBetter(choice, settings), summary };
  }
  const fitted = await Promise.all(
    choice.heads.map(async (i) => {
      const { fitted: found } = candidates[i]!;
      if ('modelDigest' in found) return found;
      return { ...found, head: await trainOnAllRows(found.head, task, runJob) };
    }),
  );
  const bundle = assembleBundle(fitted, input, provenance(input, work, choice));
  return { kind: 'Trained', bundle, bytes: encodeHeadBundle(bundle), summary };
}

/** The first, which has no student, unless another is worth more. */
function bestOf(works: readonly Work[]): Work & { readonly choice: SubsetChoice | null } {
  const chosen = works.map((work) => {
    const { candidates, task } = work;
    return { ...work, choice: chooseSubset(candidates, task.limits, task.prices) };
  });
  return chosen.reduce((a, b) =>
    (b.choice?.worth ?? -Infinity) > (a.choice?.worth ?? -Infinity) ? b : a,
  );
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function notBetter(choice: SubsetChoice | null, { budget, minSaving }: TrainingSettings): string {
  if (choice === null) {
    return `No head stays within ${percent(budget)} disagreement on validation rows: raise the budget, or name other exits.`;
  }
  return `The best heads would save ${percent(choice.saving)} of the backbone's time, less than minSaving ${percent(minSaving)}: name earlier exits, or lower minSaving.`;
}

function provenance(
  input: TrainingInput,
  work: Seen,
  choice: SubsetChoice,
): HeadBundle['training'] {
  const { dataset, split, candidates } = work;
  const costs = textBytes(JSON.stringify([input.costs, input.headCost]));
  const chosen = choice.heads.map((i) => candidates[i]!);
  return {
    trainerVersion: input.trainerVersion,
    seed: input.seed,
    sampleDigest: `sha256:${dataset.digest}`,
    costDigest: `sha256:${createSha256().update(costs).hex()}`,
    trainingRows: split.training.length,
    validationRows: split.validation.length,
    validationDisagreements: Math.round(choice.disagreementRatio * split.validation.length),
    samplesUntil: dataset.pods,
    exits: chosen.map((candidate, i) => ({
      exit: candidate.exit,
      auroc: candidate.fitted.auroc,
      agreement: agreementRatio(candidate),
      coverage: choice.coverage[i]!,
    })),
    parent: input.parent,
  };
}

function agreementRatio({ disagreements, agrees }: Candidate): number {
  return 1 - disagreements / agrees.length;
}

function summarise(
  { dataset, split, candidates, noStudent }: Seen,
  choice: SubsetChoice | null,
): TrainingSummary {
  const chosen = choice?.heads ?? [];
  return {
    rows: dataset.rowCount,
    droppedRows: dataset.droppedRows,
    trainingRows: split.training.length,
    validationRows: split.validation.length,
    exits: candidates.map((candidate, i) => ({
      exit: candidate.exit,
      ...shapeOf(candidate),
      headMs: candidate.ownMs,
      auroc: candidate.fitted.auroc,
      agreement: agreementRatio(candidate),
      isChosen: chosen.includes(i),
    })),
    noStudent,
    predictedSaving: choice?.saving ?? null,
    lambda: choice === null ? null : LAMBDAS[choice.lambdaIndex]!,
  };
}

/** A companion has no shape of a head. */
function shapeOf({ fitted }: Candidate): { readonly pool: number; readonly hidden: number } {
  if ('modelDigest' in fitted) return { pool: 1, hidden: 0 };
  return { pool: fitted.head.pool, hidden: fitted.head.hidden };
}
