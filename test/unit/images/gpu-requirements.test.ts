import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RECIPE } from '../../../operator/engines/recipe.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FILES = ['gpu-requirements.txt', 'gpu-tensorflow-requirements.txt'] as const;
const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');
const linesOf = (file: (typeof FILES)[number]): readonly string[] =>
  read(`operator/bundle/${file}`)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
const lines = linesOf('gpu-requirements.txt');
const ofTensorFlow = linesOf('gpu-tensorflow-requirements.txt');

test.each(FILES)('every wheel of %s has one version and one hash', (file) => {
  const pins = linesOf(file);
  for (const line of pins) expect(line).toMatch(/^[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}$/);
  const names = pins.map((line) => line.split('==')[0]);
  expect(new Set(names).size).toBe(names.length);
  expect(names.some((name) => name?.startsWith('nvidia-cudnn-'))).toBe(true);
});

test('TensorFlow for cards has the version that the addon is built against', () => {
  const [, version] = /^tensorflow==(\S+)/m.exec(ofTensorFlow.join('\n')) ?? [];
  expect(version).toBe(RECIPE.wheel.version);
});

test("the CUDA provider has the version of Node's addon, which loads no other", () => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const [, provider] = /^onnxruntime-gpu==(\S+)/m.exec(lines.join('\n')) ?? [];
  expect(provider).toBe(dependencies['onnxruntime-node']);
});

test.each([
  ['gpu', lines],
  ['tensorflow-gpu', ofTensorFlow],
] as const)('the label of CUDA of target %s names the release of its libraries', (target, pins) => {
  const stages = read('server/Dockerfile').split(/^FROM /m);
  const stage = stages.find((text) => text.startsWith(`server AS ${target}\n`)) ?? '';
  const [, label] = /io\.layercache\.cuda="([^"]+)"/.exec(stage) ?? [];
  const [, runtime] = /^nvidia-cuda-runtime(?:-cu12)?==(\d+\.\d+)\./m.exec(pins.join('\n')) ?? [];
  expect(label).toBe(runtime);
  expect(stage).toMatch(/io\.layercache\.nvidia-driver=">=\d+\.\d+\.\d+"/);
  // Its server says so where it finds no card.
  expect(stage).toContain('LAYERCACHE_DEVICE=GPU');
});
