// The block that makes SelfXit's own setting, on a folder in the format of CIFAR-100 with a few hundred rows: both networks train, are exported
// and cut, and every rule is compared on them. `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openShell, PACKAGES_OF_THE_MACHINE, type Shell } from '../../../cluster/docs/shell.ts';
import { pythonMissing } from '../../../http/clients/python-environment.ts';
import { blockText } from '../../../unit/docs/documents.ts';

const BLOCK = 'test/bench/exits/README.md#the-setting-of-selfxit';
/** Packages of some gigabytes, and about ten minutes on two idle processors. */
const DEADLINE_MS = 5_400_000;

/** Each class is a texture of its own, under noise. */
const TINY_FOLDER = `import pickle
from pathlib import Path

import numpy as np

folder = Path("cifar-100-python")
folder.mkdir()
random = np.random.default_rng(1)
textures = random.integers(0, 256, (100, 3, 8, 8)).repeat(4, 2).repeat(4, 3)
for name, count in (("train", 900), ("test", 400)):
    labels = random.integers(0, 100, count)
    rows = (textures[labels] + random.normal(0, 20, (count, 3, 32, 32))).clip(0, 255).astype(np.uint8)
    with (folder / name).open("wb") as file:
        pickle.dump({b"data": rows.reshape(count, -1), b"fine_labels": labels.tolist()}, file)
`;

/** Words of the block that would take days here. */
const WORDS = {
  'train.py': 'train.py --held-out 600 --epochs 2 --device cpu --bf16',
  'npm run bench -- exits': 'node dist/bundle/bench.mjs exits --quick --out bench.json',
};

describe.skipIf(pythonMissing !== null)('the setting of SelfXit, on a tiny subset', () => {
  let shell: Shell | undefined;
  afterAll(() => {
    shell?.close();
  });

  test(
    'both networks are trained, exported as PyTorch computes them, and compared by every rule',
    async () => {
      shell = openShell({
        ...{ names: WORDS, deadlineMs: DEADLINE_MS },
        environment: PACKAGES_OF_THE_MACHINE,
      });
      const place = (name: string): string => join(shell?.folder ?? '', name);
      const [environment = '', packages = '', ...commands] = blockText(BLOCK).trim().split('\n');
      await shell.run(`${environment}\n${packages}`);
      writeFileSync(place('tiny.py'), TINY_FOLDER);
      await shell.run('python/bin/python tiny.py');

      const missing = await shell.attempt(commands[0]?.replace('--data ', '--data no-') ?? '');
      expect(missing.code).not.toBe(0);
      expect(missing.stderr).toMatch(/^no-cifar-100-python\/train: there is no such file; --data/m);

      const said = await shell.run(commands.join('\n'));
      for (const network of ['resnet18', 'resnet50']) {
        const exported = new RegExp(
          `${network}\\.onnx: onnxruntime against torch, .*difference (\\S+)`,
        );
        const [, difference = 'NaN'] = exported.exec(said) ?? [];
        expect(Number(difference)).toBeLessThan(1e-3);
      }
      // What two epochs of made-up rows come to is nobody's business; that heads were trained and rules compared is.
      for (const name of ['ResNet-18, CIFAR-100', 'ResNet-50, CIFAR-100']) {
        expect(said).toMatch(
          new RegExp(`\\*\\*${name}\\*\\*: \\d+\\.\\d M multiply-adds, right on`),
        );
      }
      const { figures } = JSON.parse(readFileSync(place('bench.json'), 'utf8')) as {
        readonly figures: readonly { readonly section: string }[];
      };
      expect(figures.map(({ section }) => section)).toContain('exits, Fashion-MNIST');
    },
    DEADLINE_MS,
  );
});
