import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}/${path}`, 'utf8');
const lines = read('operator/bundle/gpu-requirements.txt')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

test('every wheel of the image for cards has one version and one hash', () => {
  for (const line of lines) expect(line).toMatch(/^[\w-]+==[\d.]+ --hash=sha256:[0-9a-f]{64}$/);
  const names = lines.map((line) => line.split('==')[0]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toContain('nvidia-cudnn-cu13');
});

test("the CUDA provider has the version of Node's addon, which loads no other", () => {
  const { dependencies } = JSON.parse(read('package.json')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const [, provider] = /^onnxruntime-gpu==(\S+)/m.exec(lines.join('\n')) ?? [];
  expect(provider).toBe(dependencies['onnxruntime-node']);
});

test('the label of CUDA names the release of the libraries', () => {
  const [, label] = /io\.layercache\.cuda="([^"]+)"/.exec(read('server/Dockerfile')) ?? [];
  const [, runtime] = /^nvidia-cuda-runtime==(\d+\.\d+)\./m.exec(lines.join('\n')) ?? [];
  expect(label).toBe(runtime);
  expect(read('server/Dockerfile')).toMatch(/io\.layercache\.nvidia-driver=">=\d+\.\d+\.\d+"/);
});
