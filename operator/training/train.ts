/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import { encodeHeadBundle, type HeadBundle } from '../../crds/wire/head-bundle.ts';
import { LAMBDAS } from '../../crds/wire/lambda-grid.ts';
import type { SampleBatch } from '../../crds/wire/samples.ts';
import type { CostTable, ServerState } from '../../crds/wire/state.ts';
import { scoreRow } from '../../server/core/score.ts';
import { assembleBundle, type FittedHead } from './bundle.ts';
import { fitScore, fitTemperature } from './calibrate.ts';
import { mergeSamples, type Dataset } from './dataset.ts';
import type { HeadJobRunner, TrainedHead } from './head-job.ts';
import { createPrices, headMacs, type Prices } from './price.ts';
import { searchHeads } from './search.ts';
import { GROUP_MINUTES, LEAST_ROWS, VALIDATION_SHARE } from './settings.ts';
import { createSha256, textBytes } from './sha256.ts';
import { splitRows, type Split } from './split.ts';
import { chooseSubset, type SubsetChoice, type SubsetHead } from './subset.ts';

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
  readonly onProgress: (stage: TrainingStage, fraction: number) => void;
}

/** What a person wants to know of a training; also of one that gave nothing. */
export interface TrainingSummary {
  readonly rows: number;
  readonly droppedRows: number;
  readonly trainingRows: number;
  readonly validationRows: number;
  /** Every exit that got a head, chosen or not, in backbone order. */
  readonly exits: readonly {
    readonly exit: string;
    readonly pool: number;
    readonly hidden: number;
    readonly headMs: number;
    readonly auroc: number;
    readonly agreement: number;
    readonly isChosen: boolean;
  }[];
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
/** All heads together may always cost this much per row. */
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
  const split = splitRows(dataset, {
    seed: input.seed,
    validationShare: VALIDATION_SHARE,
    groupMinutes: GROUP_MINUTES,
  });
  if (dataset.rowCount < LEAST_ROWS) {
    const message = `${dataset.rowCount} usable rows, training needs at least ${LEAST_ROWS}: send more traffic.`;
    return {
      kind: 'TooFewRows',
      message,
      summary: summarise({ dataset, split, candidates: [] }, null),
    };
  }
  const prices = createPrices(input.costs, input.headCost, input.plainBatch);
  const heads = await searchHeads(
    {
      dataset,
      split,
      prices,
      budget: input.settings.budget,
      maxBundleBytes: input.settings.maxBundleBytes,
      seed: [input.seed, Number.parseInt(dataset.digest.slice(0, 8), 16)],
    },
    runJob,
    (fraction) => {
      input.onProgress('Searching', fraction);
    },
  );
  input.onProgress('Choosing', 1);
  const candidates = heads
    .map((head) => toCandidate(head, { dataset, split, prices }))
    .filter(({ fitted }) => fitted.auroc >= LEAST_AUROC);
  return conclude(input, { dataset, split, candidates }, prices);
}

interface Candidate extends SubsetHead {
  readonly fitted: FittedHead;
}

interface Work {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly candidates: readonly Candidate[];
}

/** Fits score and temperature on validation rows, and scores these rows as a server would. */
function toCandidate(
  head: TrainedHead,
  work: { readonly dataset: Dataset; readonly split: Split; readonly prices: Prices },
): Candidate {
  const { dataset, split, prices } = work;
  const { classCount } = dataset;
  const { validationLogits, found } = head;
  const classes = split.validation.map((row) => dataset.teacherClass[row]!);
  const { coefficients, auroc } = fitScore(validationLogits, classCount, found.agrees);
  const macs = headMacs(head.featureCount, head.hidden, classCount);
  const source = dataset.exits.find(({ exit }) => exit.name === head.exit)!;
  const tensor = source.exit.tensor!;
  return {
    fitted: {
      head,
      tensor,
      score: coefficients,
      temperature: fitTemperature(validationLogits, classCount, classes),
      auroc,
    },
    tensor,
    macs,
    headMs: prices.headMs(macs),
    sizeBytes: sizeOf(head),
    scores: Float64Array.from(classes, (_, row) =>
      scoreRow(validationLogits, row * classCount, classCount, coefficients),
    ),
    agrees: found.agrees,
  };
}

function sizeOf({ weights, mean, scale }: TrainedHead): number {
  const { w1, b1, w2, b2 } = weights;
  return [w1.values, b1, w2?.values, b2, mean, scale].reduce(
    (sum, array) => sum + (array?.byteLength ?? 0),
    0,
  );
}

function conclude(input: TrainingInput, work: Work, prices: Prices): TrainingOutcome {
  const { settings } = input;
  const choice = chooseSubset(
    work.candidates,
    {
      budget: settings.budget,
      maxActiveExits: settings.maxActiveExits,
      maxBytes: settings.maxBundleBytes - MANIFEST_BYTES,
      maxHeadMs: Math.max(settings.maxOverhead * prices.plainMs, LEAST_HEADS_MS * prices.batchRows),
    },
    prices.tableFor,
  );
  const summary = summarise(work, choice);
  if (choice === null || choice.saving < settings.minSaving) {
    return { kind: 'NotBetter', message: notBetter(choice, settings), summary };
  }
  const bundle = assembleBundle(
    choice.heads.map((i) => work.candidates[i]!.fitted),
    input,
    provenance(input, work, choice),
  );
  return { kind: 'Trained', bundle, bytes: encodeHeadBundle(bundle), summary };
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
  work: Work,
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
      exit: candidate.fitted.head.exit,
      auroc: candidate.fitted.auroc,
      agreement: agreementRatio(candidate),
      coverage: choice.coverage[i]!,
    })),
    parent: input.parent,
  };
}

function agreementRatio({ fitted, agrees }: Candidate): number {
  return 1 - fitted.head.found.disagreements / agrees.length;
}

function summarise(
  { dataset, split, candidates }: Work,
  choice: SubsetChoice | null,
): TrainingSummary {
  return {
    rows: dataset.rowCount,
    droppedRows: dataset.droppedRows,
    trainingRows: split.training.length,
    validationRows: split.validation.length,
    exits: candidates.map((candidate, i) => ({
      exit: candidate.fitted.head.exit,
      pool: candidate.fitted.head.pool,
      hidden: candidate.fitted.head.hidden,
      headMs: candidate.headMs,
      auroc: candidate.fitted.auroc,
      agreement: agreementRatio(candidate),
      isChosen: choice?.heads.includes(i) ?? false,
    })),
    predictedSaving: choice?.saving ?? null,
    lambda: choice === null ? null : LAMBDAS[choice.lambdaIndex]!,
  };
}
