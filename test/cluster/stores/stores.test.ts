// The clients of stores against real ones.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fetchBundle,
  isWorthRepeating,
  storeBundle,
  type TransferRules,
} from '../../../server/net/stores/transfer-bundle.ts';
import { startStore, whyNoStore, type StoreKind, type StoreServer } from './store-server.ts';
import { mountFiles } from '../../support/mount-files.ts';
import { placeOf, transferRules } from '../../support/store-rules.ts';

const BYTES = Buffer.from('not really a bundle, and as good as one for a store '.repeat(4_000));
const DIGEST = `sha256:${createHash('sha256').update(BYTES).digest('hex')}`;

const KINDS: readonly [StoreKind, string | null][] = [
  ['s3', await whyNoStore('s3')],
  ['oci', await whyNoStore('oci')],
];

describe.each(KINDS)('a real %s store', (kind, obstacle) => {
  describe.skipIf(obstacle !== null)('over TLS with credentials', () => {
    let dir: string;
    let store: StoreServer;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'layercache-store-'));
      store = await startStore(kind, join(dir, 'store'));
    });
    afterAll(async () => {
      await store.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    const mount = (name: string, files: Readonly<Record<string, string>>): string =>
      mountFiles(dir, name, files);

    function rulesWith(
      secret: Readonly<Record<string, string>> | null,
      ca = store.ca,
    ): TransferRules {
      const name = createHash('sha256')
        .update(JSON.stringify([secret, ca]))
        .digest('hex');
      return transferRules({
        access: {
          credentialsDir: secret === null ? null : mount(`secret-${name}`, secret),
          caBundleDir: ca === '' ? null : mount(`ca-${name}`, { 'ca.crt': ca }),
        },
        allowed: `localhost:${store.port}`,
        limits: { totalMs: 30_000, maxBytes: 1_000_000 },
      });
    }

    const put = (rules: TransferRules): Promise<string> =>
      storeBundle(placeOf(store.uri), { digest: DIGEST, bytes: BYTES }, rules);

    test('gives a bundle back under the place that storing it said, however often it is stored', async () => {
      const rules = rulesWith(store.secret);
      const uri = await put(rules);
      expect(uri.startsWith(store.uri)).toBe(true);
      expect(await put(rules)).toBe(uri);
      const fetched = await fetchBundle(placeOf(uri), DIGEST, rules);
      expect(fetched.ok && Buffer.from(fetched.value).equals(BYTES)).toBe(true);
      expect(await fetchBundle(placeOf(uri), DIGEST, { ...rules, maxBytes: 1_000 })).toMatchObject({
        code: 'HeadTooLarge',
        message: expect.stringMatching(/larger than 1000 bytes/) as string,
      });
    });

    test('refuses a wrong password, and no message shows any', async () => {
      const rules = rulesWith(store.wrongSecret);
      const failure = await put(rules).catch((error: unknown) => error);
      expect(String(failure)).toMatch(/answers 40[13].*the\.secret/);
      expect(isWorthRepeating(failure)).toBe(false);
      const uri = await put(rulesWith(store.secret));
      const fetched = await fetchBundle(placeOf(uri), DIGEST, rules);
      expect(fetched).toMatchObject({ ok: false, code: 'BundleMissing' });
      expect(`${String(failure)} ${JSON.stringify(fetched)}`).not.toMatch(/password/);
    });

    test('says what is not there', async () => {
      const fetched = await fetchBundle(placeOf(store.emptyUri), DIGEST, rulesWith(store.secret));
      expect(fetched).toMatchObject({ ok: false, code: 'BundleMissing' });
      expect(!fetched.ok && fetched.message).toMatch(/answers 404.*correct the\.uri/);
    });

    test('is not trusted without its CA', async () => {
      const failure = await put(rulesWith(store.secret, '')).catch((error: unknown) => error);
      expect(String(failure)).toMatch(/not trusted: put its CA into the ConfigMap of the\.ca/);
      expect(isWorthRepeating(failure)).toBe(true);
    });

    test('asks for credentials, and a Secret that does not exist is told', async () => {
      const { AWS_ENDPOINT_URL } = store.secret;
      const nobody = AWS_ENDPOINT_URL === undefined ? null : { AWS_ENDPOINT_URL };
      const anonymous = await put(rulesWith(nobody)).catch((error: unknown) => error);
      expect(String(anonymous)).toMatch(/answers 40[13].*the\.secret/);
      const empty = await put(rulesWith({})).catch((error: unknown) => error);
      expect(String(empty)).toMatch(/Secret of the\.secret does not exist or is empty/);
    });
  });
});
