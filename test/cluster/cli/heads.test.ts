import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeHeadBundle } from '../../../crds/wire/head-bundle.ts';
import { definedAnswers } from '../../../server/core/known-answer.ts';
import { sharedControlPlane } from '../../support/control-plane.ts';
import { runCli } from '../../support/run-cli.ts';
import { aServiceObject } from '../../support/service-objects.ts';
import { aBundle } from '../../unit/crds/documents.ts';
import { installDefinitions } from '../kube/definitions.ts';
import { startStore, whyNoStore } from '../stores/store-server.ts';
import { storeService } from './stored-service.ts';

const plane = await sharedControlPlane();
const noStore = await whyNoStore('s3');

describe.skipIf(plane.unavailable !== null)('head revisions of a real API server', () => {
  beforeAll(() => installDefinitions(plane));

  test('a bundle is pushed, listed, verified, pulled as it was, and refused for another backbone', async () => {
    const { name: namespace } = await plane.namespace();
    const run = (...words: string[]) => runCli(plane.kubeconfigPath, [...words, '-n', namespace]);
    const bundle = aBundle();
    const heads = bundle.heads.map((head) => ({ ...head, knownAnswers: definedAnswers(head, 2) }));
    const bytes = encodeHeadBundle({ ...bundle, heads });
    const folder = mkdtempSync(join(tmpdir(), 'layercache-push-'));
    try {
      const file = join(folder, 'own.lch');
      writeFileSync(file, bytes);
      await storeService(
        plane,
        namespace,
        aServiceObject({ status: { backbone: { digest: bundle.backboneDigest } } }),
      );
      const pushed = await run('heads', 'push', file, '--service', 'vision');
      expect(pushed.exitCode).toBe(0);
      expect(pushed.out).toMatch(/^cacheheadrevision\.layercache\.io\/vision-[0-9a-f]{12}\n$/);
      expect(pushed.err).toContain(
        'The revision is made. Set spec.heads.revision of vision to vision-',
      );
      expect((await run('heads', 'push', file, '--service', 'vision')).err).toContain(
        'The revision was there already.',
      );
      const name = pushed.out.trim().split('/')[1] ?? '';

      expect((await run('heads', 'list', 'vision')).out).toContain(name);
      expect((await run('heads', 'list', 'other')).out).toBe('There are no head revisions here.\n');
      expect(await run('heads', 'verify', name)).toMatchObject({ exitCode: 0, err: '' });
      const copy = join(folder, 'copy.lch');
      expect((await run('heads', 'pull', name, '--to', copy)).exitCode).toBe(0);
      expect(readFileSync(copy)).toEqual(Buffer.from(bytes));
      expect((await run('heads', 'diff', name, copy)).out).toContain('Both are sha256:');

      const foreign = join(folder, 'foreign.lch');
      writeFileSync(
        foreign,
        encodeHeadBundle({ ...bundle, heads, backboneDigest: `sha256:${'9'.repeat(64)}` }),
      );
      const refused = await run('heads', 'push', foreign, '--service', 'vision');
      expect(refused).toMatchObject({ out: '', exitCode: 2 });
      expect(refused.err).toContain('[HeadsIncompatible]');
      expect((await run('heads', 'diff', name, foreign)).exitCode).toBe(4);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.skipIf(noStore !== null)(
    'a bundle that is pushed to a store and a service is stored once, and found by its revision',
    async () => {
      const { name: namespace } = await plane.namespace();
      const folder = mkdtempSync(join(tmpdir(), 'layercache-push-'));
      const store = await startStore('s3', join(folder, 'store'));
      const caFile = join(folder, 'ca.pem');
      writeFileSync(caFile, store.ca);
      const environment = { ...store.secret, KUBECONFIG: plane.kubeconfigPath, HOME: folder };
      const run = (...words: string[]) =>
        runCli('', [...words, '-n', namespace, '--ca-file', caFile], { environment });
      try {
        const bundle = aBundle();
        const file = join(folder, 'own.lch');
        writeFileSync(file, encodeHeadBundle(bundle));
        const service = (digest: string) =>
          storeService(plane, namespace, aServiceObject({ status: { backbone: { digest } } }));
        await service(bundle.backboneDigest);
        const words = ['heads', 'push', file, '--service', 'vision', '--to', store.uri];
        const [uri = '', revision = ''] = (await run(...words)).out.trim().split('\n');
        expect(uri).toMatch(/^s3:\/\/heads\/vision\/[0-9a-f]{64}$/);
        const name = revision.split('/')[1] ?? '';
        const copy = join(folder, 'copy.lch');
        expect(await run('heads', 'pull', name, '--to', copy)).toMatchObject({ exitCode: 0 });
        expect(readFileSync(copy)).toEqual(readFileSync(file));
        const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
        expect((await plane.request({ path })).status).toBe(404);
      } finally {
        await store.stop();
        rmSync(folder, { recursive: true });
      }
    },
  );
});
