// A model of Keras on both ways of the guide, and the rows of NumPy: the blocks of Python as they stand, then the commands behind them.
// `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../../bench/server/python-environment.ts';
import { whyMissing } from '../../cluster/harness/missing-program.ts';
import { PACKAGES_OF_THE_MACHINE } from '../../cluster/docs/shell.ts';
import { openGuidePlace } from './guide-place.ts';
import { pythonBlocks } from './python-blocks.ts';

const GUIDE = 'charts/layercache/docs/own-model.md';
const LONG_MS = 910_000;
const environment = pythonEnvironment('keras', ['tensorflow-cpu==2.21.0', 'tf2onnx==1.17.0']);
if (!environment.ok) process.stderr.write(`\nSKIPPED: the guide for Keras: ${environment.why}\n`);
const engineNeeds =
  process.platform === 'linux' && process.arch === 'x64'
    ? whyMissing({ 'c++': 'g++', python3: 'python3-pip' })
    : 'native TensorFlow is for Linux on x64';

/** Small, and of parts that most convolutional networks have. */
const MODEL = `import keras
from keras import layers

keras.utils.set_random_seed(1)
inputs = keras.Input((32, 32, 3))
value = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
for _ in range(5):
    inner = layers.BatchNormalization()(layers.Conv2D(32, 3, padding="same")(value))
    value = layers.ReLU()(layers.Add()([value, inner]))
model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(value)))
`;
const ROWS = `import numpy

rows = numpy.random.default_rng(1).normal(size=(2100, 32, 32, 3))
`;

describe.skipIf(!environment.ok)('the guide to a model of Keras', () => {
  const place = openGuidePlace({
    ...PACKAGES_OF_THE_MACHINE,
    // The engine is installed into the folder of the shell.
    XDG_CACHE_HOME: '',
    LAYERCACHE_ENGINES_DIR: '',
  });
  const { shell, reportOf } = place;
  const python = pythonBlocks(place, environment.ok ? environment.python : '');
  beforeAll(async () => {
    await python.run(ROWS, `${GUIDE}#rows`);
  }, LONG_MS);
  afterAll(() => {
    shell.close();
  });

  const isProposed = async (model: string): Promise<void> => {
    await shell.run(`npx layercache init --model ${model} > service.yaml`);
    expect(await shell.run('npx layercache validate -f service.yaml')).toContain('is valid');
  };

  test(
    'rows are float32, first axis first',
    () => {
      const bytes = readFileSync(place.path('rows.npy'));
      expect(bytes.toString('latin1', 10, 128)).toMatch(/'descr': '<f4'.*\(2100, 32, 32, 3\)/);
    },
    LONG_MS,
  );

  test(
    'by ONNX it is cut at its blocks, and takes its rows channels last',
    async () => {
      await python.run(MODEL, `${GUIDE}#keras-and-savedmodel`);
      const said = await shell.run('npx layercache inspect model.onnx');
      expect(said).toMatch(/^inputs +\S+ FP32 \[\?, 32, 32, 3\]$/m);
      expect(said.match(/\/re_lu\w*\/Relu:0 +\d+\.\d%/g)).toHaveLength(4);
      await isProposed('model.onnx');
      const run = 'npx layercache local run -f service.yaml --traffic npy:rows.npy';
      const report = reportOf(await shell.run(run));
      expect(report).toMatchObject({ complete: true, run: { requests: 2_100 } });
    },
    LONG_MS,
  );

  test.skipIf(engineNeeds !== null)(
    'a flat SavedModel is served by native TensorFlow as soon as that is installed',
    async () => {
      await python.run(MODEL, `${GUIDE}#keras-and-savedmodel/2`);
      const before = await shell.attempt('npx layercache inspect flat_model');
      expect(before.code).not.toBe(0);
      expect(before.stderr).toContain('layercache engines install');
      await shell.block(`${GUIDE}#keras-and-savedmodel/3`);
      const said = await shell.run('npx layercache inspect flat_model');
      expect(said).toMatch(/^format +SavedModel/m);
      expect(said).toMatch(/^engine +tfjs-node/m);
      expect(said.match(/\/re_lu\w*\/Relu +\d+\.\d%/g)).toHaveLength(4);
      await isProposed('flat_model');
    },
    LONG_MS,
  );
});
