import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelFormat } from '../../../../server/backbone/model-format.ts';
import { checkFormat } from '../../../../server/backbone/detect-format.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-format-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const GRAPH = '{"modelTopology":{"node":[]},"weightsManifest":[{"paths":["a.bin"]}]}';
const LAYERS = ` ${GRAPH.replace('"node":[]', '"model_config":{}')}`;
const ONNX = Buffer.from([0x08, 0x08, 0x12, 0x04]);

test.each<[string, Buffer | string, ModelFormat | null, string | null, RegExp | null]>([
  ['an ONNX file', ONNX, null, null, null],
  ['an ONNX file that is declared', ONNX, 'ONNX', null, null],
  ['an empty file, which the engine judges', '', null, null, null],
  [
    'an ONNX file declared as another',
    ONNX,
    'SavedModel',
    'BackboneLoadFailed',
    /format is SavedModel, but .* is ONNX/,
  ],
  ['a graph model', GRAPH, null, null, null],
  ['a graph model that is declared', GRAPH, 'TFJSGraphModel', null, null],
  ['a layers model', LAYERS, 'TFJSLayersModel', null, null],
  [
    'a layers model declared as a graph model',
    LAYERS,
    'TFJSGraphModel',
    'BackboneLoadFailed',
    /format is TFJSGraphModel, but .* is TFJSLayersModel/,
  ],
  [
    'other JSON',
    '{"format":"graph-model"}',
    null,
    'BackboneLoadFailed',
    /is JSON, but no TensorFlow\.js model/,
  ],
  ['a broken model.json', '{"modelTopology":', null, 'BackboneLoadFailed', /is not JSON/],
  [
    'a graph model declared as ONNX',
    GRAPH,
    'ONNX',
    'BackboneLoadFailed',
    /is ONNX, but .* is TFJSGraphModel/,
  ],
  ['a page to log in', '<!doctype html>', null, 'BackboneLoadFailed', /a web page, no model/],
  ['an archive', gzipSync('x'), null, 'BackboneLoadFailed', /a gzip archive/],
  ['a zip', 'PK\u0003\u0004', 'ONNX', 'BackboneLoadFailed', /a zip archive/],
])('%s', async (...row) => {
  const [, content, declared, code, message] = row;
  const path = join(dir, 'model.onnx');
  writeFileSync(path, content);
  const checked = checkFormat(path, declared);
  if (code === null || message === null) await expect(checked).resolves.toBe(path);
  else
    await expect(checked).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
});

test('a folder is opened at its model.json, or its saved_model.pb, or is none', async () => {
  await expect(checkFormat(dir, null)).rejects.toMatchObject({ code: 'BackboneLoadFailed' });
  mkdirSync(join(dir, 'saved'));
  writeFileSync(join(dir, 'saved', 'saved_model.pb'), '');
  const saved = join(dir, 'saved', 'saved_model.pb');
  await expect(checkFormat(join(dir, 'saved'), 'SavedModel')).resolves.toBe(saved);
  await expect(checkFormat(saved, null)).resolves.toBe(saved);
  await expect(checkFormat(saved, 'ONNX')).rejects.toThrow(/is ONNX, but .* is SavedModel/);
  writeFileSync(join(dir, 'model.json'), GRAPH);
  await expect(checkFormat(dir, 'TFJSGraphModel')).resolves.toBe(join(dir, 'model.json'));
});

test('a file that is not there is for the engine to say', async () => {
  const path = join(dir, 'none.onnx');
  await expect(checkFormat(path, 'ONNX')).resolves.toBe(path);
});
