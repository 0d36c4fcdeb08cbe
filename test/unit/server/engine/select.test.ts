import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { EngineSetting } from '../../../../server/config.ts';
import { tensorflowFolder } from '../../../../server/engine/installed-tensorflow.ts';
import { selectEngine } from '../../../../server/engine/select.ts';

const NOTHING_INSTALLED = { engines: '/no/engines', device: 'cpu' } as const;

function select(setting: EngineSetting, path: string) {
  return selectEngine(setting, { path, outputName: null, digest: null }, NOTHING_INSTALLED);
}

const NOT_HERE = 'is not part of this image';
const NOT_INSTALLED = 'is not installed here: layercache engines install';

describe('every engine that does not run the model says why', () => {
  test.each([
    [
      'Auto',
      'm.onnx',
      'onnx',
      {
        'tfjs-gpu': NOT_HERE,
        'tfjs-node':
          'reads graph models of TensorFlow.js (model.json) and flat SavedModels (saved_model.pb), and the model is m.onnx',
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
        'tfjs-node': NOT_INSTALLED,
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
      'm.xyz',
      'no engine here reads m.xyz: it must be an .onnx file or the model.json of a TensorFlow.js model; convert it to one',
    ],
    [
      'Auto',
      'm/saved_model.pb',
      'no engine here reads m/saved_model.pb: a SavedModel needs native TensorFlow (layercache engines install) and must be flat, or is converted to ONNX (pip install tf2onnx, then python -m tf2onnx.convert --saved-model FOLDER --output model.onnx) or to a graph model of TensorFlow.js',
    ],
    [
      'Auto',
      'm.KERAS',
      'no engine here reads m.KERAS: a model of Keras is exported first: model.export(FOLDER) in Python, then pip install tf2onnx, then python -m tf2onnx.convert --saved-model FOLDER --output model.onnx',
    ],
    [
      'Auto',
      'm.pth',
      "no engine here reads m.pth: PyTorch writes weights there and no graph: load the module in Python and torch.onnx.export(module.eval(), (example,), 'model.onnx', external_data=False)",
    ],
    [
      'TFJSWASM',
      'm.onnx',
      'engine TFJSWASM reads TensorFlow.js models (model.json), and the model is m.onnx; name one of Auto, ONNX, TFJSNode, TFJSWASM, or a model that it reads',
    ],
    [
      'ONNX',
      'model.json',
      'engine ONNX reads ONNX models (.onnx), and the model is model.json; name one of Auto, ONNX, TFJSNode, TFJSWASM, or a model that it reads',
    ],
    [
      'TFJSNode',
      'model.json',
      'engine TFJSNode is not installed here: layercache engines install; name one of Auto, ONNX, TFJSNode, TFJSWASM, or a model that it reads',
    ],
    [
      'TFJSGPU',
      'model.json',
      'engine TFJSGPU is not part of this image; name one of Auto, ONNX, TFJSNode, TFJSWASM, or a model that it reads',
    ],
  ] as const)('%s, %s', (setting, path, message) => {
    expect(() => select(setting, path)).toThrow(
      expect.objectContaining({ code: 'EngineUnavailable', message }) as Error,
    );
  });
});

describe('native TensorFlow', () => {
  const dir = mkdtempSync(join(tmpdir(), 'layercache-select-'));
  const engine = tensorflowFolder(dir);
  afterAll(() => {
    rmSync(dir, { recursive: true });
  });
  const install = (text: string): void => {
    mkdirSync(engine, { recursive: true });
    writeFileSync(join(engine, 'engine.json'), text);
  };
  const ofFormat = (format: string, modelTopology: object): string => {
    const path = join(dir, `${format}.json`);
    writeFileSync(path, JSON.stringify({ format, modelTopology, weightsManifest: [] }));
    return path;
  };
  const on = (device: 'cpu' | 'gpu', setting: EngineSetting, path: string) =>
    selectEngine(setting, { path, outputName: null, digest: null }, { engines: dir, device });
  const auto = (path: string) => on('cpu', 'Auto', path);
  const reasonOf = (path: string): string | undefined =>
    auto(path).skipped.find(({ engine: name }) => name === 'tfjs-node')?.reason;

  test('is preferred to wasm once it is installed, which a half made folder is not', () => {
    const graph = ofFormat('graph-model', { node: [] });
    for (const broken of ['', '{"tensorflow": 2}']) {
      install(broken);
      expect(reasonOf(graph)).toBe(NOT_INSTALLED);
    }
    install('{"tensorflow": "2.19.1", "tfjs-node": "4.22.0", "recipe": "sha256:r"}');
    const { kind, skipped } = auto(graph);
    expect(kind).toBe('tfjs-node');
    expect(skipped.find(({ engine: name }) => name === 'tfjs-wasm')?.reason).toBe(
      'tfjs-node is preferred',
    );
  });

  test('alone reads SavedModels', () => {
    install('{"tensorflow": "2.19.1", "tfjs-node": "4.22.0", "recipe": "sha256:r"}');
    expect(auto(join(dir, 'saved_model.pb')).kind).toBe('tfjs-node');
  });

  test('leaves layers models to wasm and says how to bring them over', () => {
    install('{"tensorflow": "2.19.1", "tfjs-node": "4.22.0", "recipe": "sha256:r"}');
    const layers = ofFormat('layers-model', { model_config: {} });
    expect(auto(layers).kind).toBe('tfjs-wasm');
    expect(reasonOf(layers)).toBe(
      `reads graph models, and ${layers} is a layers model: convert it to a graph model (tensorflowjs_converter)`,
    );
  });

  test('runs on a card where the process is for one, and nothing else takes its place there unasked', () => {
    install('{"tensorflow": "2.19.1", "tfjs-node": "4.22.0", "recipe": "sha256:r"}');
    const graph = ofFormat('graph-model', { node: [] });
    for (const setting of ['Auto', 'TFJSGPU'] as const) {
      expect(on('gpu', setting, graph).kind).toBe('tfjs-gpu');
    }
    expect(on('gpu', 'Auto', 'm.onnx').kind).toBe('onnx');
    expect(on('gpu', 'Auto', graph).skipped).toContainEqual({
      engine: 'tfjs-wasm',
      reason:
        'runs on processors, and LAYERCACHE_DEVICE is GPU: name it, or set LAYERCACHE_DEVICE to CPU',
    });
    expect(() => on('gpu', 'Auto', ofFormat('layers-model', { model_config: {} }))).toThrow(
      /^no engine here runs .*layers-model\.json on a card: tfjs-wasm runs on processors/,
    );
    for (const [setting, kind] of [
      ['TFJSNode', 'tfjs-node'],
      ['TFJSWASM', 'tfjs-wasm'],
    ] as const) {
      expect(on('gpu', setting, graph).kind).toBe(kind);
    }
    expect(() => on('cpu', 'TFJSGPU', graph)).toThrow(/engine TFJSGPU is not part of this image/);
  });
});
