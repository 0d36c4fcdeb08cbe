// `layercache heads` between files, real S3 and a real registry, as a person types it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { digestOf } from '../../../server/net/digest.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import { hostCertificate } from '../../support/host-certificate.ts';
import { runCli, type CliResult } from '../../support/run-cli.ts';
import { aBundle } from '../../unit/crds/documents.ts';
import { startStore, whyNoStore, type StoreKind, type StoreServer } from './store-server.ts';

const OBSTACLES = { s3: await whyNoStore('s3'), oci: await whyNoStore('oci') };
const KINDS: readonly StoreKind[] = ['s3', 'oci'];

function bundleBytes(trainerVersion: string): Uint8Array {
  const { training, ...bundle } = aBundle();
  const heads = bundle.heads.map((head) => ({ ...head, knownAnswers: definedAnswers(head, 2) }));
  return encodeHeadBundle({ ...bundle, heads, training: { ...training, trainerVersion } });
}

const BYTES = bundleBytes('0.1.0');
const DIGEST = digestOf(BYTES);
const HEX = DIGEST.slice('sha256:'.length);
const OTHER = bundleBytes('0.2.0');

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-heads-'));
  writeFileSync(join(dir, 'own.lch'), BYTES);
  writeFileSync(join(dir, 'other.lch'), OTHER);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

let logins = 0;
/** The environment of a person who is known to the store by these keys of a Secret. */
function environmentOf(secret: Readonly<Record<string, string>>): Record<string, string> {
  const { '.dockerconfigjson': login, ...keys } = secret;
  if (login === undefined) return { HOME: dir, ...keys };
  const folder = join(dir, `login-${(logins += 1)}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), login);
  return { HOME: dir, DOCKER_CONFIG: folder };
}

function runWith(
  environment: Readonly<Record<string, string>>,
  caFile: string | null,
  ...words: string[]
): Promise<CliResult> {
  const trust = caFile === null ? [] : ['--ca-file', caFile];
  return runCli('', ['heads', ...words, ...trust], { environment });
}

describe.each(KINDS)('heads in a real %s store', (kind) => {
  describe.skipIf(OBSTACLES[kind] !== null)('over TLS with credentials', () => {
    let store: StoreServer;
    let caFile: string;
    const file = (name: string): string => join(dir, name);
    const run = (...words: string[]): Promise<CliResult> =>
      runWith(environmentOf(store.secret), caFile, ...words);
    beforeAll(async () => {
      store = await startStore(kind, file(kind));
      caFile = file(`${kind}.pem`);
      writeFileSync(caFile, store.ca);
    });
    afterAll(() => store.stop());

    test('go there and come back as they were, and are not stored twice', async () => {
      const pushed = await run('push', file('own.lch'), '--to', store.uri);
      expect(pushed).toMatchObject({ exitCode: 0, err: `It is stored: ${DIGEST}.\n` });
      const uri = pushed.out.trim();
      expect(uri.startsWith(store.uri)).toBe(true);
      expect(await run('push', file('own.lch'), '--to', store.uri)).toEqual({
        ...{ exitCode: 0, out: pushed.out, err: `It was stored there already: ${DIGEST}.\n` },
      });
      const copy = file(`${kind}-copy.lch`);
      expect(await run('pull', uri, '--to', copy, '--digest', DIGEST)).toMatchObject({
        ...{ exitCode: 0, err: '' },
      });
      expect(readFileSync(copy)).toEqual(Buffer.from(BYTES));
      expect((await run('pull', uri, '--to', copy)).err).toBe('It was there already.\n');
      expect((await run('verify', uri)).out).toContain('The bundle is sound.');
      expect((await run('diff', uri, copy)).out).toContain(`Both are ${DIGEST}`);
    });

    test('are never put over something else, on either side', async () => {
      const taken = file(`${kind}-taken.lch`);
      writeFileSync(taken, 'not a bundle');
      const { out } = await run('push', file('own.lch'), '--to', store.uri);
      const pulled = await run('pull', out.trim(), '--to', taken);
      expect(pulled).toMatchObject({ out: '', exitCode: 1 });
      expect(pulled.err).toMatch(/-taken\.lch\): it is not sha256:.*overwritten\. \[PlaceTaken\]/);
      expect(readFileSync(taken, 'utf8')).toBe('not a bundle');
    });

    test('that are not what was asked for are not kept', async () => {
      const wrong = `sha256:${'0'.repeat(64)}`;
      const { out } = await run('push', file('own.lch'), '--to', store.uri);
      const target = file(`${kind}-wrong.lch`);
      const pulled = await run('pull', out.trim(), '--to', target, '--digest', wrong);
      expect(pulled).toMatchObject({ out: '', exitCode: 2 });
      expect(pulled.err).toContain(`it is ${DIGEST}, and should be ${wrong}.`);
      expect(() => readFileSync(target)).toThrow('ENOENT');
    });

    test('are refused without credentials and with wrong ones, and the message says where they are looked for', async () => {
      const { AWS_ENDPOINT_URL = '' } = store.secret;
      const nobody = kind === 's3' ? { HOME: dir, AWS_ENDPOINT_URL } : { HOME: dir };
      for (const environment of [nobody, environmentOf(store.wrongSecret)]) {
        const pushed = await runWith(
          environment,
          caFile,
          'push',
          file('own.lch'),
          '--to',
          store.uri,
        );
        expect(pushed).toMatchObject({ out: '', exitCode: 1 });
        expect(pushed.err).toMatch(/answers 40[13].*\[StoreFailed\]\n$/);
        expect(pushed.err).toMatch(
          kind === 's3' ? /AWS_SECRET_ACCESS_KEY/ : /config\.json.*docker login localhost:/,
        );
        expect(pushed.err).not.toMatch(/password/);
      }
    });

    test('are not sent to a store that is not trusted, and one that is not there is told', async () => {
      const words = ['push', file('own.lch'), '--to', store.emptyUri] as const;
      const untrusted = await runWith(environmentOf(store.secret), null, ...words);
      expect(untrusted.err).toMatch(/not trusted: put its CA into a file.*--ca-file/);
      const missing = await run('pull', store.emptyUri, '--to', file('never.lch'));
      expect(missing.err).toMatch(/answers 404.*correct the address/);
      expect([untrusted.exitCode, missing.exitCode]).toEqual([1, 1]);
    });
  });
});

describe.skipIf(OBSTACLES.oci !== null)('a tag of a registry', () => {
  test('is given once, and leads to the bundle that it was given to', async () => {
    const store = await startStore('oci', join(dir, 'tags'));
    try {
      const caFile = join(dir, 'tags.pem');
      writeFileSync(caFile, store.ca);
      const environment = environmentOf(store.secret);
      const run = (...words: string[]): Promise<CliResult> =>
        runWith(environment, caFile, ...words);
      const tag = `${store.uri}:v3`;
      const pushed = await run('push', join(dir, 'own.lch'), '--to', tag);
      expect(pushed.out).toMatch(/@sha256:[0-9a-f]{64}\n$/);
      const other = await run('push', join(dir, 'other.lch'), '--to', tag);
      expect(other).toMatchObject({ out: '', exitCode: 1 });
      expect(other.err).toMatch(/heads:v3\): it is not sha256:.*\[PlaceTaken\]/);
      expect((await run('push', join(dir, 'own.lch'), '--to', tag)).out).toBe(pushed.out);
      expect((await run('verify', tag)).out).toContain(DIGEST);
      const byDigest = await run('push', tag, '--to', pushed.out.trim());
      expect(byDigest).toMatchObject({ exitCode: 2 });
      expect(byDigest.err).toContain('Name the repository, with a tag or without.');
    } finally {
      await store.stop();
    }
  });
});

describe.skipIf(OBSTACLES.s3 !== null || OBSTACLES.oci !== null)(
  'from one store to another',
  () => {
    test('heads go in one command, each store asked by its own credentials', async () => {
      const keys = hostCertificate('localhost');
      const stores = [
        await startStore('s3', join(dir, 'from'), keys),
        await startStore('oci', join(dir, 'to'), keys),
      ] as const;
      try {
        const caFile = join(dir, 'both.pem');
        writeFileSync(caFile, keys.ca);
        const environment = {
          ...environmentOf(stores[0].secret),
          ...environmentOf(stores[1].secret),
        };
        const run = (...words: string[]): Promise<CliResult> =>
          runWith(environment, caFile, ...words);
        await run('push', join(dir, 'own.lch'), '--to', stores[0].uri);
        const copied = await run(
          'push',
          `${stores[0].uri}/${HEX}`,
          '--to',
          `${stores[1].uri}:copy`,
        );
        expect(copied).toMatchObject({ exitCode: 0, err: `It is stored: ${DIGEST}.\n` });
        expect((await run('verify', `${stores[1].uri}:copy`)).out).toContain(DIGEST);
      } finally {
        await Promise.all(stores.map((store) => store.stop()));
      }
    });
  },
);
