import type { HeadBundle } from '../../crds/wire/head-bundle.ts';
import type { SampleBatch } from '../../crds/wire/samples.ts';
import { createOnnxTrainer } from '../../operator/trainer/onnx-step.ts';
import { pullSamples, type PulledSamples } from '../../operator/trainer/pull-samples.ts';
import { createJobRunner } from '../../operator/training/head-job.ts';
import { trainHeads } from '../../operator/training/train.ts';

const SEED = 1;
/** Whether an exit pays depends on the machine; here each one is wanted. */
const FREE = { fixedMs: 0, msPerMillionMacs: 0 };
const MAX_BUNDLE_BYTES = 4 * 2 ** 20;

/** Heads that the trainer's own code makes of the samples of these servers, one for each exit. */
export async function trainEachExit(
  adminPorts: readonly number[],
  budget: number,
): Promise<HeadBundle> {
  const servers = adminPorts.map((port) => `http://127.0.0.1:${port}`);
  const pulled = await pullSamples({ servers, part: 'long', after: [] }, () => undefined);
  if (!pulled.ok) throw new Error(pulled.message);
  const [first, ...others] = await Promise.all(
    pulled.value.batches[0]!.exits.map((_, exit) => trainExit(pulled.value, exit, budget)),
  );
  return {
    ...first!,
    heads: [first!, ...others].flatMap(({ heads }) => heads),
    training: {
      ...first!.training,
      exits: [first!, ...others].flatMap(({ training }) => training.exits),
    },
  };
}

async function trainExit(
  { state, batches }: PulledSamples,
  exit: number,
  budget: number,
): Promise<HeadBundle> {
  const { costs, backbone } = state;
  if (costs === null) throw new Error('the server has measured no costs yet');
  const outcome = await trainHeads(
    {
      batches: batches.map((batch) => withExit(batch, exit)),
      costs: { ...costs, compactMs: costs.compactMs.map((sizes) => sizes.map(() => 0)) },
      ...{ headCost: FREE, plainBatch: 1, seed: SEED, parent: null, trainerVersion: 'test' },
      backboneDigest: backbone.digest,
      classCount: backbone.classCount,
      settings: {
        ...{ budget, maxActiveExits: 1, minSaving: 0, maxOverhead: 1 },
        maxBundleBytes: MAX_BUNDLE_BYTES,
      },
      onProgress: () => undefined,
    },
    createJobRunner(createOnnxTrainer),
  );
  if (outcome.kind !== 'Trained') throw new Error(outcome.message);
  return outcome.bundle;
}

function withExit(batch: SampleBatch, exit: number): SampleBatch {
  return { ...batch, exits: [batch.exits[exit]!], features: [batch.features[exit]!] };
}
