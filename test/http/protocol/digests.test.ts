// What has another digest than was asked for is refused; the right one then loads. `npm run build` comes first.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { eventually } from '../../support/eventually.ts';
import type { ModelFile } from '../../support/onnx-models/model-file.ts';
import { modelFile } from '../../support/onnx-models/model-file.ts';
import { denseNet } from '../../support/onnx-models/networks.ts';
import { spawnServer } from '../../support/server-process.ts';
import type { TestServer } from '../../support/test-server.ts';
import {
  aPolicy,
  aTrack,
  digestOf,
  fakeBundle,
  send,
  startTestServer,
} from '../../support/test-server.ts';

describe('heads', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  test('under the digest of other bytes are refused and stay invisible, under their own they serve', async () => {
    const bytes = encodeHeadBundle(fakeBundle(2));
    const wrong = digestOf(Buffer.from('others'));
    const put = (digest: string) =>
      send(server.admin, `/v1/heads/${digest}`, { method: 'PUT', body: bytes });
    const refused = await put(wrong);
    expect([refused.status, refused.body.toString()]).toEqual([
      422,
      expect.stringMatching(/^\{"error":"The head bundle is refused: /),
    ]);
    expect((await server.state()).heads).toEqual([]);
    expect((await server.apply(aPolicy({ stable: aTrack(wrong) }))).result).toBe('Rejected');

    const right = digestOf(bytes);
    expect((await put(right)).status).toBe(201);
    expect((await server.apply(aPolicy({ stable: aTrack(right) }))).result).toBe('Applied');
  });
});

describe('a backbone', () => {
  let file: ModelFile;
  let digest: string;
  beforeAll(async () => {
    const model = denseNet();
    file = await modelFile(model);
    digest = `sha256:${createHash('sha256').update(model.bytes).digest('hex')}`;
  });
  afterAll(() => file.remove());

  const start = (expected: string) =>
    spawnServer({ LAYERCACHE_BACKBONE_URI: file.path, LAYERCACHE_BACKBONE_DIGEST: expected });

  test('of another digest is not served, of its own it is', async () => {
    const refused = start(`sha256:${'0'.repeat(64)}`);
    expect(await refused.code).toBe(1);
    expect(refused.stderr()).toContain(digest);

    const served = start(digest);
    try {
      await eventually(() => {
        expect(served.stdout()).toMatch(/"msg":"ready"/);
      }, 60_000);
    } finally {
      served.child.kill('SIGKILL');
      await served.code;
    }
  });
});
