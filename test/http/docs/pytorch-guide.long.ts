// A model of PyTorch, exported by the block of the guide as it stands and by the older exporter that it names, then what `inspect` and `init` make of it.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { existsSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { openGuidePlace } from './guide-place.ts';
import { pythonBlocks, whyNoModules } from './python-blocks.ts';

const GUIDE = 'charts/layercache/docs/own-model.md';
const LONG_MS = 610_000;
/** PyTorch has 5 GB, so tests do not install it. */
const interpreter = process.env.LAYERCACHE_TEST_PYTORCH ?? 'python3';
const missing = whyNoModules(interpreter, ['torch', 'onnx', 'onnxscript']);

/** Small, and of parts that most convolutional networks have. */
const MODEL = `import torch
from torch import nn

torch.manual_seed(1)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(32, 32, 3, padding=1)
        self.norm = nn.BatchNorm2d(32)
        self.relu = nn.ReLU()

    def forward(self, value):
        return self.relu(value + self.norm(self.conv(value)))


model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1),
    nn.ReLU(),
    *[Residual() for _ in range(5)],
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(32, 10),
)
`;

describe.skipIf(missing !== null)('the guide to a model of PyTorch', () => {
  const place = openGuidePlace();
  const { shell } = place;
  const python = pythonBlocks(place, interpreter);
  afterAll(() => {
    shell.close();
  });

  test(
    'one file with a free number of rows, exits called after nodes, a manifest',
    async () => {
      await python.run(MODEL, `${GUIDE}#pytorch-and-onnx`);
      expect(existsSync(place.path('model.onnx.data'))).toBe(false);
      const said = await shell.run('npx layercache inspect model.onnx');
      expect(said).toMatch(/^inputs +image FP32 \[\?, 3, 32, 32\]$/m);
      expect(said).toMatch(/^outputs +logits FP32 \[\?, 10\]$/m);
      expect(said).toMatch(/^relu_3 +\d+\.\d%/m);
      await shell.run('npx layercache init --model model.onnx > service.yaml');
      expect(await shell.run('npx layercache validate -f service.yaml')).toContain('is valid');
    },
    LONG_MS,
  );

  test(
    'the older exporter does as well, and calls exits after modules',
    async () => {
      await python.run(MODEL, `${GUIDE}#pytorch-and-onnx`, {
        'dynamo=True': 'dynamo=False',
        'dynamic_shapes=({0: torch.export.Dim("batch")},)':
          'dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}',
        '    external_data=False,\n': '',
      });
      const said = await shell.run('npx layercache inspect model.onnx');
      expect(said).toMatch(/^inputs +image FP32 \[\?, 3, 32, 32\]$/m);
      expect(said).toMatch(/^\/2\/relu\/Relu_output_0 +\d+\.\d%/m);
    },
    LONG_MS,
  );

  test(
    'weights in a second file are refused by name, and one line of onnx makes one file of both',
    async () => {
      await python.run(MODEL, `${GUIDE}#pytorch-and-onnx`, {
        'external_data=False': 'external_data=True',
      });
      const { code, stderr } = await shell.attempt('npx layercache inspect model.onnx');
      expect(code).not.toBe(0);
      expect(stderr).toContain('in another file');
      await python.lines('import onnx\nonnx.save(onnx.load("model.onnx"), "whole.onnx")\n');
      expect(await shell.run('npx layercache inspect whole.onnx')).toMatch(/^relu_3 +\d+\.\d%/m);
    },
    LONG_MS,
  );
});
