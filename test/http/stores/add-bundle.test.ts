// Adding to a store that is written to by others, too: nothing is overwritten, and what was written is read again.
import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { addBundle, type Added } from '../../../server/net/stores/add-bundle.ts';
import { hostBench } from '../../support/host-bench.ts';
import { placeOf, transferRules } from '../../support/store-rules.ts';

const BYTES = Buffer.from('as good as a bundle for a store');
const HEX = createHash('sha256').update(BYTES).digest('hex');
const BUNDLE = { digest: `sha256:${HEX}`, bytes: BYTES };

const bench = hostBench();

async function add(
  uri: (port: number) => string,
  handle: RequestListener,
): Promise<{ readonly added: Added | string; readonly asked: readonly string[] }> {
  const host = await bench.host(handle, { name: 'store.test' });
  const secret = new Map([['AWS_ENDPOINT_URL', host.url('')]]);
  const rules = transferRules({
    access: { secret, extraCas: [host.ca] },
    resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    allowed: '*.test,*',
  });
  const added = await addBundle(placeOf(uri(host.port)), BUNDLE, rules).catch(String);
  return { added, asked: host.asked.map((one) => one.split(' ').slice(0, 2).join(' ')) };
}

const toS3 = (handle: RequestListener): ReturnType<typeof add> => add(() => 's3://heads/v', handle);
const KEY = `/heads/v/${HEX}`;

/** An object store that answers reads in turn, and writes with `putStatus`. */
function objects(reads: readonly (readonly [number, string])[], putStatus = 200): RequestListener {
  let at = 0;
  return (request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'PUT') {
        response.writeHead(request.headers['if-none-match'] === '*' ? putStatus : 400).end();
        return;
      }
      const [status, body] = reads[at++] ?? [500, ''];
      response.writeHead(status).end(body);
    });
  };
}

describe('a bucket', () => {
  test('that has the object is not written to', async () => {
    const { added, asked } = await toS3(objects([[200, BYTES.toString()]]));
    expect(added).toEqual({ ok: true, uri: `s3://heads/v/${HEX}`, wasThere: true });
    expect(asked).toEqual([`GET ${KEY}`]);
  });

  test('that has something else there keeps it', async () => {
    const { added, asked } = await toS3(objects([[200, 'another']]));
    expect(added).toEqual({ ok: false, uri: `s3://heads/v/${HEX}` });
    expect(asked).toHaveLength(1);
  });

  test.each([404, 403])(
    'that answers %i is written to, unless somebody was faster',
    async (status) => {
      const reads = [
        [status, ''],
        [200, BYTES.toString()],
      ] as const;
      const written = await toS3(objects(reads));
      expect(written.added).toMatchObject({ ok: true, wasThere: false });
      expect(written.asked).toEqual([`GET ${KEY}`, `PUT ${KEY}`, `GET ${KEY}`]);
      expect((await toS3(objects(reads, 412))).added).toMatchObject({ ok: false });
      expect((await toS3(objects(reads, 403))).added).toMatch(/answers 403/);
    },
  );

  test('that gives back something else than was written is told', async () => {
    const reads = [
      [404, ''],
      [200, 'torn'],
    ] as const;
    const { added } = await toS3(objects(reads));
    expect(added).toMatch(/gives back sha256:[0-9a-f]{64} where sha256:.* was stored/);
  });

  test('that is in trouble is told, and not written to', async () => {
    const { added, asked } = await toS3(objects([[503, '']]));
    expect(added).toMatch(/answers 503/);
    expect(asked).toHaveLength(1);
  });
});

describe('a registry', () => {
  const toRegistry = (handle: RequestListener): ReturnType<typeof add> =>
    add((port) => `oci://store.test:${port}/team/heads:v1`, handle);
  const manifestOf = (digest: string): string =>
    JSON.stringify({ schemaVersion: 2, layers: [{ digest }] });
  const registryWith =
    (layer: Buffer): RequestListener =>
    (request, response) =>
      response.end(
        request.url?.includes('/manifests/') === true ? manifestOf(BUNDLE.digest) : layer,
      );

  // The manifest is asked for by its tag, then by its digest.
  test('whose tag leads to the bundle already is read, not written', async () => {
    const { added, asked } = await toRegistry(registryWith(BYTES));
    expect(added).toMatchObject({ ok: true, wasThere: true });
    expect(asked.every((one) => one.startsWith('GET '))).toBe(true);
  });

  test('whose tag leads elsewhere keeps it', async () => {
    const { added, asked } = await toRegistry((_, response) =>
      response.end(manifestOf(`sha256:${'1'.repeat(64)}`)),
    );
    expect(added).toEqual({ ok: false, uri: expect.stringMatching(/heads:v1$/) as string });
    expect(asked).toEqual(['GET /v2/team/heads/manifests/v1']);
  });

  test('that has the tag and a damaged layer is told', async () => {
    expect((await toRegistry(registryWith(Buffer.from('torn')))).added).toMatch(
      /gives back sha256/,
    );
  });
});
