import { describe, expect, test } from 'vitest';
import { parseTfjsManifest, tfjsListing } from '../../../../../server/core/tfjs/model-manifest.ts';

const GRAPH = { format: 'graph-model', modelTopology: { node: [] } };

function manifest(...paths: readonly unknown[]): string {
  return JSON.stringify({ ...GRAPH, weightsManifest: [{ paths, weights: [] }] });
}

function refusal(text: string): string {
  const parsed = parseTfjsManifest(text);
  return parsed.ok ? 'accepted' : parsed.message;
}

describe('the format', () => {
  const group = { weightsManifest: [{ paths: ['a.bin'] }] };
  test.each([
    ['is named', { ...GRAPH, ...group }, 'TFJSGraphModel'],
    [
      'follows from nodes in old files',
      { modelTopology: { node: [] }, ...group },
      'TFJSGraphModel',
    ],
    [
      'is named for layers',
      { format: 'layers-model', modelTopology: { model_config: {} }, ...group },
      'TFJSLayersModel',
    ],
    [
      'follows from a configuration',
      { modelTopology: { config: {} }, ...group },
      'TFJSLayersModel',
    ],
  ])('%s', (_, json, format) => {
    expect(parseTfjsManifest(JSON.stringify(json))).toEqual({
      ok: true,
      value: { format, weightPaths: ['a.bin'] },
    });
  });

  test.each([
    ['no JSON', '{', 'is not JSON'],
    ['no object', 'null', 'is JSON, but no TensorFlow.js model (it has no modelTopology)'],
    ['no topology', '{"format":"graph-model"}', 'is JSON, but no TensorFlow.js model'],
    ['layers without any', '{"format":"layers-model","modelTopology":{"node":[]}}', 'is JSON'],
    ['a graph without nodes', '{"format":"graph-model","modelTopology":{"config":{}}}', 'is JSON'],
    ['no weights', JSON.stringify(GRAPH), 'names no weight files (weightsManifest[].paths)'],
    ['a group without paths', JSON.stringify({ ...GRAPH, weightsManifest: [{}] }), 'names no'],
    ['a path that is no text', manifest('a', 3), 'names no weight files'],
  ])('is refused: %s', (_, text, message) => {
    expect(refusal(text)).toContain(message);
  });
});

describe('weight files', () => {
  test('are named once, in order', () => {
    const parsed = parseTfjsManifest(manifest('b.bin', 'sub/a.bin', 'b.bin'));
    expect(parsed.ok && parsed.value.weightPaths).toEqual(['b.bin', 'sub/a.bin']);
  });

  test.each([
    'layercache.json',
    '../a.bin',
    '/etc/passwd',
    'a/../../b',
    'a//b',
    './a',
    'C:\\a',
    'https://h/a',
    'a%2e%2e/b',
    'a?b',
    '',
    'x'.repeat(2000),
  ])('that are none are refused: %j', (path) => {
    expect(refusal(manifest('a.bin', path))).toContain('which is no file beside it');
  });

  test('are at most ten thousand', () => {
    const many = Array.from({ length: 10_001 }, (_, index) => `${index}.bin`);
    expect(refusal(manifest(...many))).toBe('names 10001 weight files, more than 10000');
  });
});

test('the listing has sorted lines, as sha256sum prints them', () => {
  const weights = [
    { path: 'b.bin', sha256: 'ff' },
    { path: 'a.bin', sha256: '00' },
  ];
  expect(tfjsListing('7f', weights)).toBe('00  a.bin\n7f  model.json\nff  b.bin\n');
});
