import { MAX_CONFIG_MAP_BUNDLE_BYTES } from '../../../crds/v1alpha1/head-revision-rules.ts';
import type { BundleHead } from '../../../crds/wire/head-bundle.ts';
import { createOnnxTrainer } from '../../../operator/trainer/onnx-step.ts';
import { assembleBundle, type FittedHead } from '../../../operator/training/bundle.ts';
import { toCandidate } from '../../../operator/training/candidate.ts';
import { mergeSamples } from '../../../operator/training/dataset.ts';
import {
  createJobRunner,
  type HeadJob,
  type TrainedHead,
} from '../../../operator/training/head-job.ts';
import { createPrices } from '../../../operator/training/price.ts';
import { onAllRows } from '../../../operator/training/search.ts';
import { FULL_TRAINING, TRIAL_TRAINING } from '../../../operator/training/settings.ts';
import { trainHeads, type TrainingSettings } from '../../../operator/training/train.ts';
import type { Cache } from './cache.ts';
import { nominalCosts } from './nominal-costs.ts';
import { toSampleBatch, type RecordedCase } from './record-features.ts';
import { settingsFor } from './rules/certify.ts';

/** A head as it would be served, with what rules may be fitted on: rows that it had not seen when it answered them. */
export interface CaseHead {
  /** Index into the exits of the case. */
  readonly exit: number;
  readonly head: BundleHead;
  /** Of those that the product would serve; the others belong to rules that ask more heads. */
  readonly isChosen: boolean;
  /** [validation rows, classCount] */
  readonly validationLogits: Float32Array;
  /** 1 where it named the backbone's class. */
  readonly validationAgrees: Uint8Array;
}

export interface CaseHeads {
  readonly budget: number;
  /** In backbone order. */
  readonly heads: readonly CaseHead[];
}

const SEED = 1;

/** What a service that names a budget alone trains by. */
export function trainingSettings(ofBudget: number): TrainingSettings {
  const { budget, maxActiveExits, minSaving, maxOverhead } = settingsFor(ofBudget);
  const maxBundleBytes = MAX_CONFIG_MAP_BUNDLE_BYTES;
  return { budget, maxActiveExits, minSaving, maxOverhead, maxBundleBytes };
}

/** Trains heads for one budget by the trainer's own code. Null: it found none that pay. */
export function trainCase(
  recorded: RecordedCase,
  budget: number,
  cache: Cache,
): Promise<CaseHeads | null> {
  const { digest, backboneDigest } = recorded;
  const settings = trainingSettings(budget);
  const key = { digest, backboneDigest, settings, SEED, FULL_TRAINING, TRIAL_TRAINING };
  return cache('heads', key, () => train(recorded, settings));
}

async function train(
  recorded: RecordedCase,
  settings: TrainingSettings,
): Promise<CaseHeads | null> {
  const { backboneDigest, classCount, exits } = recorded;
  const { costs, headCost } = nominalCosts(recorded);
  const batches = [toSampleBatch(recorded)];
  const work = createJobRunner(createOnnxTrainer);
  const inFull = new Map<string, { readonly job: HeadJob; readonly head: TrainedHead }>();
  const last = new Map<string, TrainedHead>();
  const runJob = async (job: HeadJob): Promise<TrainedHead> => {
    const head = await work(job);
    if (job.settings.keeps === 'Last') last.set(head.exit, head);
    else if (job.settings.epochs !== TRIAL_TRAINING.epochs) inFull.set(head.exit, { job, head });
    return head;
  };
  const outcome = await trainHeads(
    {
      ...{ batches, costs, headCost, plainBatch: 1, backboneDigest, classCount },
      ...{ settings, seed: SEED, trainerVersion: 'bench', parent: null },
      onProgress: () => undefined,
    },
    runJob,
  );
  if (outcome.kind !== 'Trained') return null;
  const chosen = new Set(outcome.bundle.heads.map(({ exit }) => exit));
  const dataset = mergeSamples(batches, { backboneDigest, classCount });
  const prices = createPrices(costs, headCost, 1);
  const fitted: FittedHead[] = [];
  const sources: TrainedHead[] = [];
  for (const { name } of exits) {
    const found = inFull.get(name);
    if (found === undefined) continue;
    const { job, head } = found;
    const rows = job.split.validation;
    const { fitted: own } = toCandidate(head, { dataset, rows, prices });
    if ('modelDigest' in own) continue;
    const again = { ...job, ...onAllRows(head, job.split, classCount) };
    fitted.push({ ...own, head: last.get(name) ?? (await work(again)) });
    sources.push(head);
  }
  const bundle = assembleBundle(fitted, { backboneDigest, classCount }, outcome.bundle.training);
  return {
    budget: settings.budget,
    heads: bundle.heads.map((head, i) => ({
      exit: exits.findIndex(({ name }) => name === head.exit),
      head,
      isChosen: chosen.has(head.exit),
      validationLogits: sources[i]?.validationLogits ?? new Float32Array(),
      validationAgrees: sources[i]?.found.agrees ?? new Uint8Array(),
    })),
  };
}
