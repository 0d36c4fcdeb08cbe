/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices come from the lists themselves */
import type { HiddenSize, PoolSize } from '../../crds/wire/head-bundle.ts';
import type { Dataset, DatasetExit } from './dataset.ts';
import type { HeadJob, HeadJobRunner, TrainedHead } from './head-job.ts';
import { headMacs, type Prices } from './price.ts';
import { FULL_TRAINING, TRIAL_ROWS, TRIAL_TRAINING } from './settings.ts';
import type { Split } from './split.ts';
import type { DistillSettings } from './distill.ts';

/** Head shape under test at an exit. */
export interface HeadOption {
  readonly exit: number;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly macs: number;
}

export interface SearchTask {
  readonly dataset: Dataset;
  readonly split: Split;
  readonly prices: Prices;
  readonly budget: number;
  readonly maxBundleBytes: number;
  readonly seed: readonly number[];
}

const POOLS: readonly PoolSize[] = [4, 2, 1];
const HIDDEN_SIZES: readonly HiddenSize[] = [1024, 256, 128, 64, 0];
/** Shapes that rung one tries per exit, the most able first. */
const OPTIONS_PER_EXIT = 3;
/** An exit whose cut, head included, saves less of plain time than this is not worth a head. */
const LEAST_SAVED = 0.02;
/** int8 weights, scales and fp32 constants, roughly. */
const BYTES_PER_WEIGHT = 1;
const BYTES_PER_FEATURE = 8;
const MAX_HEAD_SHARE = 0.02;
const MAX_HEAD_MS = 0.05;

/** Milliseconds that one head may cost at this batch size: max(2 % of plain, 0.05 ms a row) (exits.md 4.5). */
function headCeilingMs({ plainMs, batchRows }: Prices): number {
  return Math.max(MAX_HEAD_SHARE * plainMs, MAX_HEAD_MS * batchRows);
}

/**
 * Shapes worth a trial at an exit, within the ceilings of time and bytes, the most able first: finer pools and wider
 * layers win whenever time allows (exits.md 13). A companion and a cut that saves too little have none.
 */
export function optionsFor(
  { exit }: DatasetExit,
  index: number,
  task: Pick<SearchTask, 'prices' | 'maxBundleBytes'> & { readonly classCount: number },
): readonly HeadOption[] {
  const { prices, classCount } = task;
  if (exit.tensor === null) return [];
  const saved = 1 - prices.shareTo(exit.tensor);
  const options = POOLS.filter((pool) => pool <= exit.pool).flatMap((pool) =>
    HIDDEN_SIZES.map((hidden) => {
      const featureCount = pool * pool * exit.channels;
      const macs = headMacs(featureCount, hidden, classCount);
      const sizeBytes = macs * BYTES_PER_WEIGHT + featureCount * BYTES_PER_FEATURE;
      return { exit: index, pool, hidden, macs, sizeBytes };
    }),
  );
  return options
    .filter(({ macs, sizeBytes }) => {
      const ms = prices.headMs(macs);
      const isWorthIt = saved - ms / prices.plainMs >= LEAST_SAVED;
      return isWorthIt && ms <= headCeilingMs(prices) && sizeBytes <= task.maxBundleBytes;
    })
    .slice(0, OPTIONS_PER_EXIT)
    .map(({ pool, hidden, macs }) => ({ exit: index, pool, hidden, macs }));
}

/**
 * Two rungs per exit: all shapes on few rows for few epochs, the one that saves most in full. Exits are searched side by
 * side: the runner decides how many jobs run at once. Gives one head per exit that has any shape, in backbone order.
 */
export async function searchHeads(
  task: SearchTask,
  runJob: HeadJobRunner,
  onProgress: (fraction: number) => void,
): Promise<readonly TrainedHead[]> {
  const { dataset, prices } = task;
  const { classCount } = dataset;
  const perExit = dataset.exits
    .map((source, index) => optionsFor(source, index, { ...task, classCount }))
    .filter((options) => options.length > 0);
  // Path costs, subsets and servers need backbone order, whatever order the policy named exits in.
  const shareOf = ([option]: readonly HeadOption[]): number =>
    prices.shareTo(dataset.exits[option!.exit]!.exit.tensor!);
  perExit.sort((a, b) => shareOf(a) - shareOf(b));
  let doneWork = 0;
  const trialWork = TRIAL_TRAINING.epochs / FULL_TRAINING.epochs;
  const totalWork = perExit.reduce(
    (sum, options) => sum + 1 + (options.length > 1 ? options.length * trialWork : 0),
    0,
  );
  const run = async (option: HeadOption, isTrial: boolean): Promise<TrainedHead> => {
    const head = await runJob(jobOf(option, task, isTrial));
    doneWork += isTrial ? trialWork : 1;
    onProgress(doneWork / totalWork);
    return head;
  };
  const trials = (split: readonly HeadOption[]): Promise<readonly TrainedHead[]> =>
    Promise.all(split.map((option) => run(option, true)));
  return Promise.all(
    perExit.map(async (options) => {
      if (options.length === 1) return run(options[0]!, false);
      const heads = await trials(options);
      return run(bestOption(options, heads, task), false);
    }),
  );
}

/** Coverage at low risk x time saved there - head time, all in shares of plain time. */
function bestOption(
  options: readonly HeadOption[],
  heads: readonly TrainedHead[],
  { dataset, prices }: SearchTask,
): HeadOption {
  const worth = options.map(({ exit, macs }, i) => {
    const saved = 1 - prices.shareTo(dataset.exits[exit]!.exit.tensor!);
    return heads[i]!.found.lowRiskCoverage * saved - prices.headMs(macs) / prices.plainMs;
  });
  return options[worth.indexOf(Math.max(...worth))]!;
}

function jobOf(option: HeadOption, task: SearchTask, isTrial: boolean): HeadJob {
  const { exit, pool, hidden } = option;
  const { classCount, teacher, teacherClass, weight } = task.dataset;
  const settings: DistillSettings = isTrial ? TRIAL_TRAINING : FULL_TRAINING;
  return {
    source: task.dataset.exits[exit]!,
    pool,
    hidden,
    targets: { classCount, teacher, teacherClass, weight },
    split: isTrial ? thinned(task.split, TRIAL_ROWS) : task.split,
    settings,
    budget: task.budget,
    seed: [...task.seed, exit, pool, hidden],
  };
}

/** At most `rows` training rows, evenly spread. */
function thinned({ training, validation }: Split, rows: number): Split {
  const step = Math.max(1, training.length / rows);
  const count = Math.floor(training.length / step);
  const kept = Uint32Array.from({ length: count }, (_, i) => training[Math.floor(i * step)]!);
  return { training: kept, validation };
}
