import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fetchBench } from '../../support/fetch-bench.ts';

const bench = fetchBench();
const { host, obtain, failure } = bench;

const MANIFEST = JSON.stringify({
  format: 'graph-model',
  modelTopology: { node: [] },
  weightsManifest: [{ paths: ['group1-shard1of2.bin', 'sub/group1-shard2of2.bin'], weights: [] }],
});
const FILES: Readonly<Record<string, string>> = {
  '/m/model.json': MANIFEST,
  '/m/group1-shard1of2.bin': 'first',
  '/m/sub/group1-shard2of2.bin': 'second',
};

function serve(files: Readonly<Record<string, string>>, asked: string[] = []): RequestListener {
  return (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const content = files[path];
    if (content === undefined) response.writeHead(404).end();
    else response.end(content);
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const DIGEST = `sha256:${sha256(
  [
    `${sha256(MANIFEST)}  model.json\n`,
    `${sha256('first')}  group1-shard1of2.bin\n`,
    `${sha256('second')}  sub/group1-shard2of2.bin\n`,
  ]
    .sort()
    .join(''),
)}`;
const environment = { LAYERCACHE_BACKBONE_DIGEST: DIGEST };

describe('a TensorFlow.js model by https', () => {
  test('comes with its weights and its notes', async () => {
    const server = await host(serve({ ...FILES, '/m/layercache.json': '{"labels":["x"]}' }));
    const path = await obtain({ uri: server.url('/m/model.json'), ca: server.ca, environment });
    const folder = dirname(path);
    expect(path).toMatch(/model\.json$/);
    expect(readdirSync(folder).sort()).toEqual([
      'group1-shard1of2.bin',
      'layercache.json',
      'model.json',
      'sub',
    ]);
    expect(readFileSync(join(folder, 'sub/group1-shard2of2.bin'), 'utf8')).toBe('second');
  });

  test('is not fetched again while all its files are whole', async () => {
    const asked: string[] = [];
    const server = await host(serve(FILES, asked));
    const want = { uri: server.url('/m/model.json'), ca: server.ca, environment };
    const path = await obtain(want);
    const count = asked.length;
    expect(await obtain(want)).toBe(path);
    expect(asked).toHaveLength(count);
    writeFileSync(join(dirname(path), 'group1-shard1of2.bin'), 'spoilt');
    expect(await obtain(want)).toBe(path);
    expect(readFileSync(join(dirname(path), 'group1-shard1of2.bin'), 'utf8')).toBe('first');
  });

  test('fails as a whole when a weight file is missing', async () => {
    const server = await host(serve({ '/m/model.json': MANIFEST }));
    const failed = await failure({ uri: server.url('/m/model.json'), ca: server.ca });
    expect(failed).toMatchObject({ code: 'BackboneFetchFailed' });
    expect(failed.message).toMatch(/group1-shard1of2\.bin.*404/);
  });

  test('with other weights has another digest', async () => {
    const server = await host(serve({ ...FILES, '/m/group1-shard1of2.bin': 'other' }));
    const uri = server.url('/m/model.json');
    const failed = await failure({ uri, ca: server.ca, environment });
    expect(failed).toMatchObject({ code: 'BackboneDigestMismatch' });
  });

  test('is bounded with all its weights', async () => {
    const server = await host(serve(FILES));
    const limits = { maxBytes: MANIFEST.length + 7 };
    const failed = await failure({ uri: server.url('/m/model.json'), ca: server.ca, limits });
    expect(failed.message).toMatch(/group1-shard2of2\.bin is larger than 2 bytes/);
  });

  test('that is no model, or names files elsewhere, is refused', async () => {
    const elsewhere = MANIFEST.replace('sub/', '../');
    const server = await host(serve({ '/a': '{"error": "log in"}', '/b': elsewhere }));
    expect(await failure({ uri: server.url('/a'), ca: server.ca })).toMatchObject({
      code: 'BackboneLoadFailed',
      message: expect.stringContaining('no TensorFlow.js model') as string,
    });
    expect(await failure({ uri: server.url('/b'), ca: server.ca })).toMatchObject({
      code: 'BackboneLoadFailed',
      message: expect.stringContaining('"../group1-shard2of2.bin", which is no file') as string,
    });
  });
});
