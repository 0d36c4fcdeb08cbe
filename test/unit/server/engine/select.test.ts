import { describe, expect, test } from 'vitest';
import type { EngineSetting } from '../../../../server/config.ts';
import { selectEngine } from '../../../../server/engine/select.ts';

function select(setting: EngineSetting, path: string) {
  return selectEngine(setting, { path, outputName: null, digest: null });
}

const NOT_HERE = 'is not part of this image';

describe('every engine that does not run the model says why', () => {
  test.each([
    [
      'Auto',
      'm.onnx',
      'onnx',
      {
        'tfjs-gpu': NOT_HERE,
        'tfjs-node': NOT_HERE,
        'tfjs-wasm': 'reads TensorFlow.js models (model.json), and the model is m.onnx',
        'tfjs-cpu': NOT_HERE,
      },
    ],
    [
      'Auto',
      'f/model.json',
      'tfjs-wasm',
      {
        onnx: 'reads ONNX models (.onnx), and the model is f/model.json',
        'tfjs-gpu': NOT_HERE,
        'tfjs-node': NOT_HERE,
        'tfjs-cpu': NOT_HERE,
      },
    ],
    [
      'TFJSWASM',
      'model.JSON',
      'tfjs-wasm',
      Object.fromEntries(
        ['onnx', 'tfjs-gpu', 'tfjs-node', 'tfjs-cpu'].map((engine) => [
          engine,
          'LAYERCACHE_ENGINE is TFJSWASM',
        ]),
      ),
    ],
    [
      'ONNX',
      'm.onnx',
      'onnx',
      Object.fromEntries(
        ['tfjs-gpu', 'tfjs-node', 'tfjs-wasm', 'tfjs-cpu'].map((engine) => [
          engine,
          'LAYERCACHE_ENGINE is ONNX',
        ]),
      ),
    ],
  ] as const)('%s, %s', (setting, path, kind, reasons) => {
    const { kind: chosen, skipped } = select(setting, path);
    expect(chosen).toBe(kind);
    expect(Object.fromEntries(skipped.map(({ engine, reason }) => [engine, reason]))).toEqual(
      reasons,
    );
  });
});

describe('no engine is a sentence with the next step', () => {
  test.each([
    [
      'Auto',
      'm.h5',
      'no engine reads m.h5: it must be an .onnx file or the model.json of a TensorFlow.js model; convert it to one',
    ],
    [
      'TFJSWASM',
      'm.onnx',
      'engine TFJSWASM reads TensorFlow.js models (model.json), and the model is m.onnx; name one of Auto, ONNX, TFJSWASM, or a model that it reads',
    ],
    [
      'ONNX',
      'model.json',
      'engine ONNX reads ONNX models (.onnx), and the model is model.json; name one of Auto, ONNX, TFJSWASM, or a model that it reads',
    ],
    [
      'TFJSGPU',
      'model.json',
      'engine TFJSGPU is not part of this image; name one of Auto, ONNX, TFJSWASM, or a model that it reads',
    ],
  ] as const)('%s, %s', (setting, path, message) => {
    expect(() => select(setting, path)).toThrow(
      expect.objectContaining({ code: 'EngineUnavailable', message }) as Error,
    );
  });
});
