// Images for arm64, built here on no base and not run: what would run there is for that processor, all of it.
import { closeSync, copyFileSync, mkdirSync, mkdtempSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildImages, whyNoImages } from '../harness/image/built-images.ts';
import { filesOf, readLayout, unpackFiles } from '../harness/image/image-layout.ts';
import { expectCommand } from '../harness/run-command.ts';

const unavailable = whyNoImages();
if (unavailable !== null) process.stderr.write(`\nSKIPPED: images for arm64: ${unavailable}\n`);

const IMAGES = ['operator', 'server'] as const;
/** ELF: e_machine, at byte 18. */
const AARCH64 = 183;

describe.skipIf(unavailable !== null)('images for arm64', () => {
  const scratch = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));

  beforeAll(async () => {
    const project = join(scratch, 'project');
    mkdirSync(project);
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      copyFileSync(file, join(project, file));
    }
    const words = ['ci', '--os', 'linux', '--cpu', 'arm64', '--libc', 'glibc'];
    await expectCommand('npm', words, { cwd: project, deadlineMs: 600_000 });
    const layouts = Object.fromEntries(IMAGES.map((name) => [name, join(scratch, name)]));
    await buildImages(layouts, { arm64Packages: project });
  }, 900_000);
  afterAll(() => rm(scratch, { recursive: true, force: true }));

  test.each(IMAGES)('%s says that it is for arm64, and every library in it is', async (name) => {
    const layout = join(scratch, name);
    expect(readLayout(layout).config.architecture).toBe('arm64');
    const native = [...(await filesOf(layout)).keys()].filter((path) =>
      /\.(node|so(\.[\d.]+)?)$/.test(path),
    );
    const folder = join(scratch, `${name}-files`);
    mkdirSync(folder);
    await unpackFiles(layout, native, folder);
    const machines = native.map((path) => [path, machineOf(join(folder, path))]);
    expect(machines).toEqual(native.map((path) => [path, AARCH64]));
    const names = native.map((path) => path.split('/').at(-1));
    expect(names).toContain('onnxruntime_binding.node');
    expect(names.some((file) => file?.startsWith('libvips'))).toBe(name === 'server');
  });
});

function machineOf(path: string): number {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(20);
    readSync(file, head);
    return head.subarray(0, 4).toString('latin1') === '\x7fELF' ? head.readUInt16LE(18) : -1;
  } finally {
    closeSync(file);
  }
}
