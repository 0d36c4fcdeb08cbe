// A trainer stores its bundle in a store that is in trouble for a while: how often it asks, what it says, and when it gives up.
import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { uploadBundle, type Uploaded } from '../../../operator/trainer/upload-bundle.ts';
import { hostBench } from '../../support/host-bench.ts';
import { allowedHosts } from '../../support/store-rules.ts';

const BYTES = Buffer.from('as good as a bundle for a store');
const HEX = createHash('sha256').update(BYTES).digest('hex');
const BUNDLE = { digest: `sha256:${HEX}`, bytes: BYTES };
/** Pauses of the process in thousandths. */
const PATIENCE = { pausesMs: [1, 2, 4, 8, 16], totalMs: 2_000, idleMs: 100 };

const bench = hostBench();

async function upload(
  handle: RequestListener,
  patience = PATIENCE,
): Promise<{ readonly uploaded: Uploaded; readonly troubles: string[]; readonly puts: number }> {
  const host = await bench.host(handle, { name: '127.0.0.1', secure: false });
  const credentialsDir = bench.mount('secret', {
    ...{ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 's3cr3t' },
    AWS_ENDPOINT_URL: host.url(''),
  });
  const troubles: string[] = [];
  const settings = {
    uri: 's3://heads/vision',
    access: { credentialsDir, caBundleDir: null },
    ...{ allowedHosts: allowedHosts('127.0.0.1'), proxy: { url: null, exceptions: '' } },
  };
  const uploaded = await uploadBundle(
    BUNDLE,
    settings,
    (message) => troubles.push(message),
    patience,
  );
  return { uploaded, troubles, puts: host.asked.length };
}

/** Troubled for the first tries, then a store. */
function after(tries: number, trouble: RequestListener): RequestListener {
  let seen = 0;
  return (request, response) => {
    seen += 1;
    if (seen <= tries) {
      trouble(request, response);
      return;
    }
    request.resume().on('end', () => response.end());
  };
}

const TROUBLE: readonly [string, RequestListener, RegExp][] = [
  [
    'answers 503',
    (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      });
    },
    /answers 503 \(SlowDown\)/,
  ],
  [
    'answers 429',
    (request, response) => {
      request.resume().on('end', () => response.writeHead(429).end());
    },
    /answers 429/,
  ],
  ['resets the connection', (request) => request.socket.resetAndDestroy(), /cut: .*\(ECONNRESET\)/],
  ['says nothing', () => undefined, /was silent for 0\.1 s/],
];

describe.each(TROUBLE)('a store that %s', (_, trouble, told) => {
  test('three times has the bundle with the fourth try, and each trouble was told', async () => {
    const { uploaded, troubles, puts } = await upload(after(3, trouble));
    expect(uploaded).toEqual({ ok: true, uri: `s3://heads/vision/${HEX}` });
    expect(puts).toBe(4);
    expect(troubles).toHaveLength(3);
    for (const trouble of troubles) expect(trouble).toMatch(told);
  });

  test('for good is given up after as many pauses as there are, with its last words and no secret', async () => {
    const { uploaded, troubles, puts } = await upload(after(Infinity, trouble));
    expect(uploaded).toMatchObject({ ok: false, message: expect.stringMatching(told) as string });
    expect(puts).toBe(PATIENCE.pausesMs.length + 1);
    expect(troubles).toHaveLength(PATIENCE.pausesMs.length);
    expect(JSON.stringify([uploaded, troubles])).not.toContain('s3cr3t');
  });
});

test('a store that takes the bytes and trickles its answer is left after the time of a try', async () => {
  const patience = { ...PATIENCE, pausesMs: [1], totalMs: 150 };
  const { uploaded, puts } = await upload((_, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => {
      clearInterval(timer);
    });
    response.writeHead(500);
  }, patience);
  expect(uploaded).toMatchObject({
    message: expect.stringMatching(/took longer than 0\.15 s/) as string,
  });
  expect(puts).toBe(2);
});

test('a store that refuses is asked once', async () => {
  const refuse: RequestListener = (request, response) => {
    request.resume().on('end', () => response.writeHead(403).end());
  };
  const { uploaded, troubles, puts } = await upload(refuse);
  expect(uploaded).toMatchObject({ ok: false, message: expect.stringMatching(/403/) as string });
  expect({ troubles, puts }).toEqual({ troubles: [], puts: 1 });
});

test('pauses grow, so that half a minute of trouble costs no training', async () => {
  const atMs: number[] = [];
  const patience = { ...PATIENCE, pausesMs: [30, 60, 120] };
  await upload((request, response) => {
    atMs.push(performance.now());
    request.resume().on('end', () => response.writeHead(500).end());
  }, patience);
  const pauses = atMs.slice(1).map((ms, i) => ms - atMs[i]!);
  pauses.forEach((ms, i) => {
    expect(ms).toBeGreaterThanOrEqual(patience.pausesMs[i]! - 1);
  });
});

test('a place that is none is told by its field, and nobody is asked', async () => {
  const settings = {
    ...{ uri: 'ftp://heads', access: { credentialsDir: null, caBundleDir: null } },
    allowedHosts: { othersAllowed: true, named: [] },
    proxy: { url: null, exceptions: '' },
  };
  expect(await uploadBundle(BUNDLE, settings, () => undefined, PATIENCE)).toMatchObject({
    message: expect.stringMatching(
      /^heads\.store: ftp:\/\/heads is no place of a bundle/,
    ) as string,
  });
});
