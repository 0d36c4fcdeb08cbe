import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FASHION_SPLIT } from '../../../../../operator/local/traffic/fashion-mnist.ts';
import { readJsonRows } from '../../../../../operator/local/traffic/json-rows.ts';
import { loadModelDescription } from '../../../../../operator/local/traffic/model-description.ts';
import { openLabels } from '../../../../../operator/local/traffic/open-labels.ts';
import { openTraffic } from '../../../../../operator/local/traffic/open-traffic.ts';
import { memorySource } from '../../../../../operator/local/traffic/source.ts';
import { idxBytes, npyFile, temporaryFile } from './files.ts';

describe('--traffic', () => {
  test.each(['rows.npy', 'csv:rows.csv', 'npy:', ':x'])('%s names no source', async (source) => {
    await expect(openTraffic(source, '--traffic')).rejects.toThrow(
      'Write npy:FILE, idx:FILE[.gz], images:DIR, example:fashion-mnist or http.',
    );
  });

  test('an example that does not exist suggests the nearest', async () => {
    await expect(openTraffic('example:fashion-mist', '--traffic')).rejects.toThrow(
      'there is no example fashion-mist. Use one of: fashion-mnist.',
    );
  });

  test('the example gives the held-out rows that split.json describes, with labels', async () => {
    const split = JSON.parse(readFileSync('server/examples/fashion-mnist/split.json', 'utf8')) as {
      seed: string;
      train: { rows: number };
      traffic: { rows: number; sha256: string };
    };
    expect(FASHION_SPLIT).toEqual({
      seed: split.seed,
      trainRows: split.train.rows,
      trafficSha256: split.traffic.sha256,
    });
    // Opening verifies the digest of the rows.
    const source = await openTraffic('example:fashion-mnist', '--traffic');
    expect(source.rowCount).toBe(split.traffic.rows);
    expect(new Set(source.labels)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  test('the example is opened in many short turns, between which the page of the run is served', async () => {
    let turns = 0;
    const others = setInterval(() => (turns += 1), 0);
    await openTraffic('example:fashion-mnist', '--traffic');
    clearInterval(others);
    expect(turns).toBeGreaterThan(100);
  });
});

test('rows of bytes are read out of JSON, empty ones included', () => {
  const rows = [...readJsonRows(Buffer.from('{"data":[[0,17, 255],[],[3]]}'))];
  expect(rows.map((row) => [...row])).toEqual([[0, 17, 255], [], [3]]);
  expect(() => [...readJsonRows(Buffer.from('{"data":[[256]]}'))]).toThrow('not a row of bytes');
});

describe('--labels', () => {
  const traffic = memorySource(
    { name: 'rows', rowShape: [1], element: 'u1', labels: null },
    Buffer.alloc(3),
  );
  const int64 = new Uint8Array(BigInt64Array.from([4n, 5n, 6n]).buffer);

  test.each([
    ['bytes', `npy:${npyFile({ descr: '|u1', shape: [3] }, Uint8Array.from([4, 5, 6]))}`],
    ['64-bit integers', `npy:${npyFile({ descr: '<i8', shape: [3] }, int64)}`],
    ['IDX', `idx:${temporaryFile('l.idx', idxBytes([3], Uint8Array.from([4, 5, 6])))}`],
  ])('of %s are read', (_, source) => {
    expect([...openLabels(source, traffic)]).toEqual([4, 5, 6]);
  });

  test.each([
    [
      'another count',
      `npy:${npyFile({ descr: '|u1', shape: [2] }, Uint8Array.from([4, 5]))}`,
      'there are 2 labels for 3 rows',
    ],
    [
      'two numbers per row',
      `npy:${npyFile({ descr: '|u1', shape: [3, 2] }, new Uint8Array(6))}`,
      'its shape is (3, 2), not one number per row',
    ],
    [
      'images',
      `idx:${temporaryFile('l.idx', idxBytes([3, 2], new Uint8Array(6)))}`,
      'its shape is (3, 2), not one number per row',
    ],
    [
      'floats',
      `npy:${npyFile({ descr: '<f4', shape: [3] }, new Uint8Array(12))}`,
      'its element type is <f4; integers are read',
    ],
    ['no kind', 'labels.npy', 'Write npy:FILE or idx:FILE[.gz].'],
  ])('with %s are refused', (_, source, why) => {
    expect(() => openLabels(source, traffic)).toThrow(why);
  });
});

describe('layercache.json', () => {
  test('beside the model is read; without one the description is empty', () => {
    const path = temporaryFile('layercache.json', '{"input": {"layout": "NHWC", "mean": [1]}}');
    expect(loadModelDescription(path).input).toEqual({ layout: 'NHWC', mean: [1] });
    expect(loadModelDescription('/nowhere/model.onnx')).toEqual({});
  });

  test.each(['{"input": {"layuot": "NHWC"}}', '{"input":', '{"input": {"std": [0]}}'])(
    '%s is refused with its path',
    (text) => {
      const path = temporaryFile('layercache.json', text);
      expect(() => loadModelDescription(path)).toThrow(
        `layercache.json beside the model cannot be used (${path})`,
      );
    },
  );
});
