// Images as a reader builds and pushes them, word for word. A registry of the test stands for his own and for the one of the base, where
// what stands for the released base lies under its name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCommand } from '../harness/run-command.ts';
import { whyNoImages, writeBase } from '../harness/image/built-images.ts';
import {
  startMirroringRegistry,
  whyNoMirroringRegistry,
  type MirroringRegistry,
} from './mirroring-registry.ts';
import { openShell, PACKAGES_OF_THE_MACHINE, type Shell } from './shell.ts';

const unavailable = whyNoImages() ?? (await whyNoMirroringRegistry());
const DEADLINE_MS = 1_200_000;

describe.skipIf(unavailable !== null)('images by the guide', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-built-'));
  let registry: MirroringRegistry;
  let shell: Shell;

  beforeAll(async () => {
    const [, base = ''] =
      /^ARG BASE_IMAGE=(\S+)$/m.exec(readFileSync('operator/Dockerfile', 'utf8')) ?? [];
    const [host = ''] = base.split('/');
    registry = await startMirroringRegistry(host);
    await registry.hold(await writeBase(folder), base);
    // Builds leave nothing on this machine.
    const storage = join(folder, 'storage.conf');
    const places = `graphroot = "${join(folder, 'graph')}"\nrunroot = "${join(folder, 'run')}"\n`;
    writeFileSync(storage, `[storage]\ndriver = "vfs"\n${places}`);
    const { name, environment } = registry;
    shell = openShell({
      ...{ isClone: true, deadlineMs: DEADLINE_MS },
      names: { 'registry.example.com': name },
      environment: {
        ...environment,
        CONTAINERS_STORAGE_CONF: storage,
        BUILDAH_ISOLATION: 'chroot',
        ...PACKAGES_OF_THE_MACHINE,
      },
    });
  }, 120_000);
  afterAll(async () => {
    (shell as Shell | undefined)?.close();
    await (registry as MirroringRegistry | undefined)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    'are built in a clone of the repository and lie in the registry, for a user without rights',
    async () => {
      await shell.block('charts/layercache/docs/install.md#images');
      for (const image of ['operator', 'server']) {
        const text = await expectCommand(
          'skopeo',
          ['inspect', '--config', `docker://${registry.name}/layercache/${image}:0.1.0`],
          { environment: registry.environment },
        );
        const { config } = JSON.parse(text) as {
          readonly config: { readonly User: string; readonly Labels: Record<string, string> };
        };
        expect(config.User).toBe('65532:65532');
        expect(config.Labels['org.opencontainers.image.title']).toBe(`layercache ${image}`);
      }
    },
    DEADLINE_MS,
  );
});
