/* eslint-disable @typescript-eslint/no-non-null-assertion -- row numbers come from the split */
import type { BundleMatrix, HiddenSize, PoolSize } from '../../crds/wire/head-bundle.ts';
import { agreement, type Agreement } from './agreement.ts';
import type { Dataset, DatasetExit } from './dataset.ts';
import type { DenseShape, DenseTrainer, DenseTrainerFactory } from './dense-trainer.ts';
import { distill, gatherRows, type DistillSettings } from './distill.ts';
import { standardFeatures } from './features.ts';
import { quantise, toDense, type QuantisedWeights } from './quantise.ts';
import type { Split } from './split.ts';

/** One head to train, self-contained and without functions: it may travel to a worker thread. */
export interface HeadJob {
  readonly source: DatasetExit;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly targets: Pick<Dataset, 'classCount' | 'teacher' | 'teacherClass' | 'weight'>;
  readonly split: Split;
  readonly settings: DistillSettings;
  readonly budget: number;
  readonly seed: readonly number[];
  /** How the weights are stored; absent: int8 where it suffices. */
  readonly type?: BundleMatrix['type'];
}

/** A trained and rounded head; everything fitted later uses these logits. */
export interface TrainedHead {
  readonly exit: string;
  readonly pool: PoolSize;
  readonly hidden: HiddenSize;
  readonly featureCount: number;
  readonly mean: Float32Array;
  readonly scale: Float32Array;
  readonly weights: QuantisedWeights;
  /** [validation rows, classCount] of the rounded weights. */
  readonly validationLogits: Float32Array;
  readonly found: Agreement;
  readonly epoch: number;
}

/** Runs a job somewhere: here, or on another thread. */
export type HeadJobRunner = (job: HeadJob) => Promise<TrainedHead>;

/** Ranking that int8 may cost before a head is stored in fp16. */
const INT8_AUROC_LOSS = 0.001;

/** Runs jobs in this thread, one at a time where the factory's trainers are. */
export function createJobRunner(factory: DenseTrainerFactory): HeadJobRunner {
  return (job) => trainHead(job, factory);
}

async function trainHead(job: HeadJob, factory: DenseTrainerFactory): Promise<TrainedHead> {
  const { source, pool, hidden, targets, split, settings, budget } = job;
  const { featureCount, mean, scale, x } = standardFeatures(source, pool, split.training);
  const shape: DenseShape = { featureCount, hidden, classCount: targets.classCount };
  const task = {
    ...targets,
    shape,
    x,
    trainingRows: split.training,
    validationRows: split.validation,
    budget,
    seed: job.seed,
  };
  const { weights, epoch } = await distill(task, settings, factory);
  const trainer = await factory(shape, weights, settings);
  try {
    const rows = gatherRows(x, split.validation, featureCount);
    const rounded = await round(trainer, { job, rows });
    return {
      exit: source.exit.name,
      pool,
      hidden,
      featureCount,
      mean,
      scale,
      epoch,
      ...rounded,
    };
  } finally {
    await trainer.close();
  }
}

/** int8 where the ranking hardly suffers, else fp16 (exits.md 4.3). */
async function round(
  trainer: DenseTrainer,
  { job, rows }: { readonly job: HeadJob; readonly rows: Float32Array },
): Promise<Pick<TrainedHead, 'weights' | 'validationLogits' | 'found'>> {
  const { targets, split, budget } = job;
  const { classCount } = targets;
  const exact = trainer.weights();
  const classes = split.validation.map((row) => targets.teacherClass[row]!);
  const judge = (logits: Float32Array): Agreement =>
    agreement(logits, classes, { classCount, budget });
  const rounded = async (
    type: BundleMatrix['type'],
  ): Promise<Pick<TrainedHead, 'weights' | 'validationLogits' | 'found'>> => {
    const weights = quantise(exact, type);
    const validationLogits = await trainer.logits(toDense(weights), rows, classes.length);
    return { weights, validationLogits, found: judge(validationLogits) };
  };
  if (job.type !== undefined) return rounded(job.type);
  const before = judge(await trainer.logits(exact, rows, classes.length));
  const small = await rounded('int8');
  return before.auroc - small.found.auroc < INT8_AUROC_LOSS ? small : rounded('float16');
}
