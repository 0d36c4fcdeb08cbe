/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import { denseMacs } from '../../server/core/head.ts';
import type { HiddenSize, PoolSize } from '../../crds/wire/head-bundle.ts';
import { toCandidate } from './candidate.ts';
import { companionCandidates } from './companion.ts';
import { splitOf, targetsOf } from './compared-exit.ts';
import type { Dataset, DatasetExit } from './dataset.ts';
import type { HeadJob, HeadJobRunner, TrainedHead } from './head-job.ts';
import type { Prices } from './price.ts';
import {
  finalTraining,
  fullTraining,
  isCheapToTrain,
  LEAST_ROWS,
  TRIAL_ROWS,
  TRIAL_TRAINING,
} from './settings.ts';
import type { Split } from './split.ts';
import { rankSubsets, type SubsetLimits } from './subset.ts';

/** Head shape under test at an exit. */
export interface HeadOption {
  readonly exit: number;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly macs: number;
}

/** What a head is trained on and for. */
export interface SearchTask {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly prices: Prices;
  readonly limits: SubsetLimits;
  readonly seed: readonly number[];
}

const POOLS: readonly PoolSize[] = [4, 2, 1];
const HIDDEN_SIZES: readonly HiddenSize[] = [1024, 256, 128, 64, 0];
/** Shapes that rung one tries per exit, the most able first. */
const OPTIONS_PER_EXIT = 2;
/** Exits trained in full beyond those that may be active. */
const SPARE_EXITS = 2;
/** Trial heads cover at two budgets about what heads trained in full cover at one; at one they would favour late exits. */
const TRIAL_BUDGETS = 2;
/** Work of a trial as a share of a training in full, for progress. */
const TRIAL_WORK = 0.08;
/** An exit whose cut, head included, saves less of plain time than this is not worth a head. */
const LEAST_SAVED = 0.02;
/** int8 weights, scales and fp32 constants, roughly. */
const BYTES_PER_WEIGHT = 1;
const BYTES_PER_FEATURE = 8;
const MAX_HEAD_SHARE = 0.02;
const MAX_HEAD_MS = 0.05;

/**
 * Milliseconds that one head may cost at this batch size: max(2 % of plain, 0.05 ms a row) (exits.md 4.5) above the fixed part.
 * The ceiling bounds the shape; what any head costs for being there (0.04 ms idle, 0.13 on a busy machine) is priced in the saving.
 */
function headCeilingMs({ plainMs, batchRows, headMs }: Prices): number {
  return Math.max(MAX_HEAD_SHARE * plainMs, MAX_HEAD_MS * batchRows) + headMs(0);
}

/**
 * Shapes worth a trial at an exit, within the ceilings of time and bytes, the most able first: finer pools and wider
 * layers win whenever time allows (exits.md 13). A companion and a cut that saves too little have none.
 */
export function optionsFor(
  source: DatasetExit,
  index: number,
  task: { readonly prices: Prices; readonly maxBytes: number; readonly classCount: number },
): readonly HeadOption[] {
  const { exit } = source;
  const { prices, classCount } = task;
  if (exit.tensor === null) return [];
  if (isTooFew(source)) return [];
  const saved = 1 - prices.shareTo(exit.tensor);
  const options = POOLS.filter((pool) => pool <= exit.pool).flatMap((pool) =>
    HIDDEN_SIZES.map((hidden) => {
      const featureCount = pool * pool * exit.channels;
      const macs = denseMacs({ featureCount, hidden }, classCount);
      const sizeBytes = macs * BYTES_PER_WEIGHT + featureCount * BYTES_PER_FEATURE;
      return { exit: index, pool, hidden, macs, sizeBytes };
    }),
  );
  return options
    .filter(({ macs, sizeBytes }) => {
      const ms = prices.headMs(macs);
      const isWorthIt = saved - ms / prices.plainMs >= LEAST_SAVED;
      return isWorthIt && ms <= headCeilingMs(prices) && sizeBytes <= task.maxBytes;
    })
    .slice(0, OPTIONS_PER_EXIT)
    .map(({ pool, hidden, macs }) => ({ exit: index, pool, hidden, macs }));
}

/** Traffic that names no sources teaches nothing of frames. */
function isTooFew({ comparisons }: DatasetExit): boolean {
  if (comparisons === undefined) return false;
  return comparisons.isCompared.reduce((sum, is) => sum + is, 0) < LEAST_ROWS;
}

/**
 * Two rungs (successive halving): every shape of every exit on few rows for few epochs; then the best shape of each exit that
 * a good subset would use in full. The runner decides how many jobs run at once. Gives heads in backbone order, no companions.
 */
export async function searchHeads(
  task: SearchTask,
  runJob: HeadJobRunner,
  onProgress: (fraction: number) => void,
): Promise<readonly TrainedHead[]> {
  const options = allOptions(task);
  const trialCount = options.reduce((sum, ofExit) => sum + ofExit.length, 0);
  // At most: fewer finalists end sooner.
  const total = trialCount * TRIAL_WORK + options.length;
  let done = 0;
  const run = async (job: HeadJob, work: number): Promise<TrainedHead> => {
    const head = await runJob(job);
    done += work;
    onProgress(done / total);
    return head;
  };
  const trialSplit = splitForTrials(task.split);
  const trials = await Promise.all(
    options.map(async (ofExit) => {
      const jobs = ofExit.map((option) =>
        run(jobOf(option, task, { split: trialSplit, settings: TRIAL_TRAINING }), TRIAL_WORK),
      );
      return bestTrial(ofExit, await Promise.all(jobs), task);
    }),
  );
  const kept = finalExits(trials, task, trialSplit.validation);
  return Promise.all(
    kept.map(({ option }) => {
      const settings = fullTraining(task.split.training.length, option.macs);
      return run(jobOf(option, task, { split: task.split, settings }), 1);
    }),
  );
}

/** Options per exit in backbone order, whatever order the policy named exits in: path costs and servers need it. */
function allOptions(task: SearchTask): readonly (readonly HeadOption[])[] {
  const { dataset, prices } = task;
  const shareOf = ([option]: readonly HeadOption[]): number =>
    prices.shareTo(dataset.exits[option!.exit]!.exit.tensor!);
  return dataset.exits
    .map((source, index) =>
      optionsFor(source, index, {
        prices,
        maxBytes: task.limits.maxBytes,
        classCount: dataset.classCount,
      }),
    )
    .filter((options) => options.length > 0)
    .sort((a, b) => shareOf(a) - shareOf(b));
}

interface Trial {
  readonly option: HeadOption;
  readonly head: TrainedHead;
}

/**
 * Exits of the best subsets of trial heads, best subset first, until there are enough; the rest can hardly win. Heads that cost
 * little to train come along: trials underrate early exits, whose heads are small and gain most from training in full.
 */
function finalExits(
  trials: readonly Trial[],
  task: SearchTask,
  rows: Uint32Array,
): readonly Trial[] {
  const { dataset, prices, limits, split } = task;
  // Companions are as good now as they will be: which heads are worth their training depends on them.
  const companions = companionCandidates({ dataset, rows, prices, budget: limits.budget });
  const heads = trials.map(({ head }) => toCandidate(head, { dataset, rows, prices }));
  const generous = { ...limits, budget: TRIAL_BUDGETS * limits.budget };
  const ranked = rankSubsets([...companions, ...heads], generous, prices)
    .flatMap((subset) => subset.heads)
    .map((index) => index - companions.length)
    .filter((index) => index >= 0);
  const kept = new Set([...new Set(ranked)].slice(0, limits.maxActiveExits + SPARE_EXITS));
  return trials.filter(
    ({ option }, i) => kept.has(i) || isCheapToTrain(split.training.length, option.macs),
  );
}

/** Coverage at low risk x time saved there - head time, all in shares of plain time. */
function bestTrial(
  options: readonly HeadOption[],
  heads: readonly TrainedHead[],
  { dataset, prices }: SearchTask,
): Trial {
  const worth = options.map(({ exit, macs }, i) => {
    const saved = 1 - prices.shareTo(dataset.exits[exit]!.exit.tensor!);
    return heads[i]!.found.lowRiskCoverage * saved - prices.headMs(macs) / prices.plainMs;
  });
  const best = worth.indexOf(Math.max(...worth));
  return { option: options[best]!, head: heads[best]! };
}

/** The same head once more on every row. */
export async function trainOnAllRows(
  head: TrainedHead,
  task: SearchTask,
  runJob: HeadJobRunner,
): Promise<TrainedHead> {
  const { dataset, split } = task;
  const exit = dataset.exits.findIndex((source) => source.exit.name === head.exit);
  return runJob(jobOf({ ...head, exit }, task, onAllRows(head, split, dataset.classCount)));
}

type Rung = Pick<HeadJob, 'split' | 'settings' | 'type'>;

/**
 * How a head trains once more on every row of its split. What was measured on validation rows goes on to describe it: score,
 * temperature and choice of exits come from the head that had not seen them.
 */
export function onAllRows(
  head: TrainedHead,
  { training: before, validation }: Split,
  classCount: number,
): Rung {
  const training = Uint32Array.from([...before, ...validation]).sort();
  const macs = denseMacs(head, classCount);
  return {
    split: { training, validation },
    settings: finalTraining(training.length, macs),
    // The subset was chosen within the bytes of this type: another could double the bundle.
    type: head.weights.w1.type,
  };
}

function jobOf(
  { exit, pool, hidden }: Pick<HeadOption, 'exit' | 'pool' | 'hidden'>,
  task: SearchTask,
  rung: Rung,
): HeadJob {
  const source = task.dataset.exits[exit]!;
  return {
    // Jobs travel to threads: what is per row and not shared stays here.
    source: { exit: source.exit, features: source.features },
    pool,
    hidden,
    targets: targetsOf(source, task.dataset),
    ...rung,
    split: splitOf(source, rung.split),
    budget: task.limits.budget,
    seed: [...task.seed, exit, pool, hidden],
  };
}

/** Trials train on the first 4,000 training rows; as many of the others judge them: more than validation has, so ranked better. */
function splitForTrials({ training, validation }: Split): Split {
  return {
    training: training.slice(0, TRIAL_ROWS),
    validation: Uint32Array.from(
      [...validation, ...training.subarray(TRIAL_ROWS)].slice(0, TRIAL_ROWS),
    ),
  };
}
