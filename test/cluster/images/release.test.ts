// What publishes a version, against Debian's registry on loopback and with a key made for the test.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientTools } from '../harness/client-tools.ts';
import { REGISTRY_PROGRAMS, startRegistry, type Registry } from '../harness/docker-registry.ts';
import { whyNoImages } from '../harness/image/built-images.ts';
import { loadProductImages } from '../harness/image/shared-images.ts';
import { expectCommand, runCommand, type CommandResult } from '../harness/run-command.ts';
import { readLayout } from '../harness/image/image-layout.ts';
import { whyMissing } from '../harness/missing-program.ts';

const unavailable =
  whyNoImages() ?? whyMissing({ ...REGISTRY_PROGRAMS, skopeo: 'skopeo', gpg: 'gnupg' });
if (unavailable !== null) process.stderr.write(`\nSKIPPED: a release: ${unavailable}\n`);

const SCRIPT = fileURLToPath(new URL('../../../.ci/release', import.meta.url));
const IMAGES = ['operator', 'server'] as const;
const KEY = 'Layercache Test';

describe.skipIf(unavailable !== null)('a release', () => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  const keyring = join(scratch, 'keys.gpg');
  let registry: Registry;
  let repository: string;
  let images: string;
  let helm: string;

  beforeAll(async () => {
    ({ helm } = await clientTools(4));
    const folder = join(scratch, 'registry');
    mkdirSync(folder);
    // Without TLS, which skopeo and Helm are told to do without.
    registry = await startRegistry(folder);
    repository = `127.0.0.1:${registry.port}/layercache`;
    images = join(scratch, 'images');
    mkdirSync(images);
    const layouts = await loadProductImages();
    for (const name of IMAGES) {
      await expectCommand('cp', ['--recursive', '--link', layouts[name], join(images, name)]);
    }
    await makeKey();
  }, 600_000);
  afterAll(async () => {
    await (registry as Registry | undefined)?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  async function makeKey(): Promise<void> {
    const GNUPGHOME = join(scratch, 'gnupg');
    mkdirSync(GNUPGHOME, { mode: 0o700 });
    const environment = { GNUPGHOME };
    const flags = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', ''];
    const words = ['--quick-generate-key', `${KEY} <test@layercache.io>`, 'rsa2048', 'sign'];
    await expectCommand('gpg', [...flags, ...words], { environment });
    await expectCommand('gpg', [...flags, '--output', keyring, '--export-secret-keys'], {
      environment,
    });
    await expectCommand('gpgconf', ['--kill', 'all'], { environment });
  }

  function release(environment: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return runCommand(SCRIPT, [repository], {
      deadlineMs: 300_000,
      environment: {
        HELM: helm,
        HELM_CACHE_HOME: join(scratch, 'helm/cache'),
        HELM_CONFIG_HOME: join(scratch, 'helm/config'),
        HELM_DATA_HOME: join(scratch, 'helm/data'),
        LAYERCACHE_SIGNING_KEY: KEY,
        LAYERCACHE_KEYRING: keyring,
        LAYERCACHE_IMAGES: images,
        LAYERCACHE_PLAIN_HTTP: '1',
        ...environment,
      },
    });
  }

  const manifest = async (path: string): Promise<{ status: number; digest: string | null }> => {
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const [host = '', ...name] = `${repository}/${path}`.split('/');
    const [of = '', tag = ''] = name.join('/').split(':');
    const url = `http://${host}/v2/${of}/manifests/${tag}`;
    const answer = await fetch(url, { method: 'HEAD', headers: { accept } });
    return { status: answer.status, digest: answer.headers.get('docker-content-digest') };
  };

  test('a key that is not in the keyring publishes nothing', async () => {
    const { code, stderr } = await release({ LAYERCACHE_SIGNING_KEY: 'Somebody Else' });
    expect(code, stderr).not.toBe(0);
    expect((await manifest('server:0.1.0')).status).toBe(404);
    expect((await manifest('charts/layercache:0.1.0')).status).toBe(404);
  });

  test('pushes images and the signed chart, and what is pulled by digest is what was pushed', async () => {
    const { code, stdout, stderr } = await release();
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const name of IMAGES) {
      const { digest } = await manifest(`${name}:0.1.0`);
      expect(lines).toContain(`${repository}/${name}:0.1.0@${digest}`);
      // The configuration names every file of every layer by digest: the same image, however it is compressed.
      const pulled = join(scratch, `pulled-${name}`);
      const from = `docker://${repository}/${name}@${digest}`;
      const words = ['copy', '--quiet', '--src-tls-verify=false', from, `oci:${pulled}:0.1.0`];
      await expectCommand('skopeo', words);
      expect(readLayout(pulled).config).toEqual(readLayout(join(images, name)).config);
    }
    const { digest } = await manifest('charts/layercache:0.1.0');
    expect(lines.at(-1)).toBe(`oci://${repository}/charts/layercache:0.1.0@${digest}`);
    if (!(await hasCosign())) expect(stderr).toContain('is not signed: cosign is missing');
  }, 300_000);

  test('a version is never pushed twice, not even the same bytes', async () => {
    const before = await manifest('charts/layercache:0.1.0');
    const { code, stdout, stderr } = await release();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /operator:0\.1\.0 exists \(sha256:\w+\): a version is never pushed twice/,
    );
    expect(await manifest('charts/layercache:0.1.0')).toEqual(before);
  });

  test('a registry that does not answer is no empty one', async () => {
    await registry.stop();
    const { code, stderr } = await release();
    expect(code).toBe(1);
    expect(stderr).toContain('the registry does not say whether');
  });

  async function hasCosign(): Promise<boolean> {
    return (await runCommand('bash', ['-c', 'command -v cosign'])).code === 0;
  }
});
