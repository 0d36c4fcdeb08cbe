import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../../../../operator/errors.ts';
import type { ExitsCase } from '../stream.ts';

/** As `train.py --network` calls them. */
const NETWORKS = { resnet18: 'ResNet-18, CIFAR-100', resnet50: 'ResNet-50, CIFAR-100' } as const;

/**
 * The networks that `train.py` left in a folder, one or both: heads from rows that were held out of the backbone's training, judged
 * on the test rows. Throws a UsageError where there is none.
 */
export function cifar100Cases(folder: string): readonly ExitsCase[] {
  const cases = Object.entries(NETWORKS).flatMap(([network, name]) => {
    const modelPath = join(folder, `${network}.onnx`);
    if (!existsSync(modelPath)) return [];
    return [
      {
        ...{ name, modelPath, rows: null },
        traffic: `npy:${join(folder, 'test_images.npy')}`,
        headTraffic: `npy:${join(folder, 'heads_images.npy')}`,
        labels: join(folder, 'test_labels.npy'),
      },
    ];
  });
  if (cases.length > 0) return cases;
  throw new CliError('UsageError', {
    where: `--cifar100 ${folder}`,
    why: `it has neither ${Object.keys(NETWORKS).join('.onnx nor ')}.onnx.`,
    nextStep: 'Make one with test/bench/exits/cifar-100/train.py.',
  });
}
