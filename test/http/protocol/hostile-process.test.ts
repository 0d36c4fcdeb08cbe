// What hostile clients do to a server of its own: no crash, bounded memory. `npm run build` comes first.
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fuzzRound, goodRequests } from '../../support/hostile-fuzz.ts';
import { hostileCases, oneByOne } from '../../support/hostile-requests.ts';
import type { HostileServer } from '../../support/hostile-server.ts';
import { startHostileServer } from '../../support/hostile-server.ts';
import { pictureOf } from '../../support/pictures.ts';
import { rawExchange, rawRequest } from '../../support/raw-http.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { INFER, send } from '../../support/test-server.ts';
import { openRecord } from '../../promises/open-record.ts';

const recordHostile = openRecord('hostile');

const MIB = 2 ** 20;

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer({ LAYERCACHE_HEADERS_TIMEOUT: '1s' });
});
afterAll(() => server.close());

/** Runs the attack, and expects the server unharmed and no more than so many bytes larger at its worst. */
async function attack(maxGrowthBytes: number, run: () => Promise<void>): Promise<void> {
  await server.expectUnharmed();
  const before = server.peakBytes();
  await run();
  await server.expectUnharmed();
  expect(server.peakBytes() - before).toBeLessThan(maxGrowthBytes);
}

test('what is no HTTP is refused in one string, or closed, as the table says', async () => {
  await attack(100 * MIB, async () => {
    const cases = hostileCases(INFER, server.goodBody);
    const seen: [string, number[]][] = [];
    for (const [name, bytes, , ends = false] of cases) {
      const answers = await rawExchange(server.dataPort, bytes, { ends });
      seen.push([name, answers.map(({ status }) => status)]);
      for (const { status, head, body } of answers) {
        // Node itself answers a missing host and an unknown expectation, without a body.
        if (status === 200 || body === '') continue;
        expect(head).toMatch(/content-type: application\/json/);
        expect(JSON.parse(body)).toEqual({ error: expect.stringMatching(/^[A-Z].*\.$/) as string });
      }
    }
    expect(seen).toEqual(cases.map(([name, , statuses]) => [name, statuses]));
  });
});

test('requests in one piece are answered in order, one byte at a time too', async () => {
  await attack(100 * MIB, async () => {
    const { goodBody } = server;
    const many = Array.from({ length: 40 }, (_, i) => {
      const body = goodBody.replace('{', `{"id":"${i}",`);
      return rawRequest(`POST ${INFER} HTTP/1.1`, [`content-length: ${body.length}`], body);
    });
    const last = rawRequest('GET /v2/health/live HTTP/1.1', ['connection: close']);
    const answers = await rawExchange(server.dataPort, Buffer.concat([...many, last]));
    expect(answers.map(({ status }) => status)).toEqual(new Array(41).fill(200));
    const ids = answers.slice(0, 40).map(({ body }) => (JSON.parse(body) as { id: string }).id);
    expect(ids).toEqual(many.map((_, i) => String(i)));

    const small = rawRequest('GET /v2 HTTP/1.1', ['connection: close']);
    const slow = await rawExchange(server.dataPort, small, { pieceBytes: 1 });
    expect(slow.map(({ status }) => status)).toEqual([200]);
  });
});

test('65,536 pieces of one byte are one body', async () => {
  await attack(200 * MIB, async () => {
    const body = server.goodBody.padEnd(65_536, ' ');
    const headers = ['transfer-encoding: chunked', 'connection: close'];
    const answers = await rawExchange(
      server.dataPort,
      rawRequest(`POST ${INFER} HTTP/1.1`, headers, oneByOne(body)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });
});

describe('bombs', () => {
  const zeros = Buffer.alloc(66 * MIB);
  const deep = Buffer.alloc(15 * MIB, '[');

  async function statuses(
    count: number,
    body: Buffer,
    headers: Record<string, string>,
  ): Promise<number[]> {
    const answers = await Promise.all(
      Array.from({ length: count }, () =>
        send(server.dataPort, INFER, { method: 'POST', headers, body }),
      ),
    );
    return [...new Set(answers.map(({ status }) => status))];
  }

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    [
      'br',
      (bytes: Buffer) =>
        brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
    ],
  ])(
    'fifteen bodies of %s that become 66 MiB are refused, holding few at a time',
    async (coding, compress) => {
      const bomb = compress(zeros);
      await attack(500 * MIB, async () => {
        expect(await statuses(15, bomb, { 'content-encoding': coding })).toEqual([413]);
      });
    },
  );

  test('a compressed body that is nested a million deep is refused before it is parsed', async () => {
    const bomb = gzipSync(deep);
    await attack(500 * MIB, async () => {
      expect(await statuses(12, bomb, { 'content-encoding': 'gzip' })).toEqual([400]);
    });
  });

  test('pictures that say they are enormous are refused by their headers', async () => {
    const png = await pictureOf([[[1, 2, 3]]]).png().toBuffer(); // prettier-ignore
    const enormous = Buffer.from(png);
    enormous.writeUInt32BE(50_000, 16);
    enormous.writeUInt32BE(50_000, 20);
    await attack(100 * MIB, async () => {
      expect(await statuses(50, enormous, { 'content-type': 'image/png' })).toEqual([413]);
    });
  });

  test('pictures that say they are small and are not are found broken', async () => {
    const large = await pictureOf(
      Array.from({ length: 600 }, () => Array.from({ length: 600 }, () => [0, 0, 0] as const)),
    )
      .png({ compressionLevel: 9 })
      .toBuffer();
    large.writeUInt32BE(16, 16);
    large.writeUInt32BE(16, 20);
    await attack(100 * MIB, async () => {
      expect(await statuses(20, large, { 'content-type': 'image/png' })).toEqual([400]);
    });
  });
});

test('paths that lead out of their folder reach no file, on either port', async () => {
  await attack(100 * MIB, async () => {
    const outside = [
      '../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      '/etc/passwd',
      '%00',
      'sha256:..%2f..%2fx',
    ];
    for (const path of outside) {
      for (const [port, root] of [
        [server.dataPort, '/v2/models/'],
        [server.dataPort, '/v1/models/'],
        [server.adminPort, '/v1/heads/'],
      ] as const) {
        const [answer] = await rawExchange(
          port,
          rawRequest(`DELETE ${root}${path} HTTP/1.1`, ['connection: close']),
        );
        expect([root + path, answer?.status]).toEqual([
          root + path,
          expect.toBeOneOf([403, 404, 405]),
        ]);
        expect(answer?.body).not.toMatch(/root:/);
      }
    }
  });
});

test('seeded changes to good requests of every route never end in a failure', async () => {
  const good = goodRequests(server.goodBody);
  const random = seededRandom(19);
  const answered: (readonly [status: number, request: string])[] = [];
  await attack(150 * MIB, async () => {
    for (let round = 0; round < 20; round++) {
      answered.push(...(await fuzzRound(server.dataPort, good, random)));
    }
  });
  const failures = answered.filter(([status]) => status >= 500);
  recordHostile({ requests: answered.length, failures: failures.length });
  expect(failures).toEqual([]);
  expect(answered.map(([status]) => status)).toEqual(expect.arrayContaining([200, 400, 404]));
});
