// Images as their Dockerfiles make them, without Docker: buildah in a folder of its own, on a base made here.
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { releasedNode } from '../../../support/released-node.ts';
import { expectCommand } from '../run-command.ts';
import { writeImageArchive } from './image-archive.ts';
import { nodeLayer } from './node-layer.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const ONNX = 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1';
const VIPS = 'node_modules/@img/sharp-libvips-linux-x64/lib';
const BASE = 'localhost/layercache-base:test';
const BUILD_MS = 300_000;
/** Of images in their layouts. */
export const TAG = 'product';

export type ImageName = 'operator' | 'server';

export interface ImageBuilder {
  /** Builds an image and writes it as an OCI image layout, its layers not compressed. */
  build(name: ImageName, layout: string): Promise<void>;
  close(): Promise<void>;
}

/** Null: images can be built here. */
export function whyNoImages(): string | null {
  if (process.getuid?.() !== 0) return 'images are built as root';
  if (process.arch !== 'x64') return 'images are built for x64 here';
  const found = (process.env.PATH ?? '')
    .split(':')
    .some((folder) => existsSync(join(folder, 'buildah')));
  return found ? null : "images need Debian's buildah";
}

/** With its own store: nothing of it stays on this machine after `close`. */
export async function startImageBuilder(): Promise<ImageBuilder> {
  const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-images-`));
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const buildah = (...args: readonly string[]): Promise<string> =>
    expectCommand('buildah', [...store, '--storage-driver', 'vfs', ...args], {
      cwd: ROOT,
      deadlineMs: BUILD_MS,
      environment: { BUILDAH_ISOLATION: 'chroot' },
    });
  const files = ['operator/bundle/image-files.mjs', '--platform', 'linux-x64'];
  const context = join(folder, 'context');
  const output = ['--output', join(context, 'dist', 'images')];
  await expectCommand(process.execPath, [...files, ...output], { cwd: ROOT });
  const base = join(folder, 'base.tar');
  writeImageArchive(base, {
    name: BASE,
    layers: [
      await nodeLayer({
        binary: releasedNode ?? process.execPath,
        librariesFor: [join(ROOT, ONNX), libvips()],
      }),
    ],
    entrypoint: ['/usr/bin/node'],
  });
  const baseId = (await buildah('pull', '--quiet', `oci-archive:${base}`)).trim();
  return {
    build: async (name, layout) => {
      const reference = `localhost/layercache-${name}:${TAG}`;
      await buildah(
        ...['bud', '--quiet', '--timestamp', '0', '--no-cache', '--pull-never'],
        ...['--build-arg', `BASE_IMAGE=${baseId}`, '--build-arg', 'VERSION=0.1.0'],
        ...(name === 'server' ? ['--target', 'server'] : []),
        ...['--file', join(ROOT, name, 'Dockerfile'), '--tag', reference, context],
      );
      const words = ['push', '--quiet', '--disable-compression', '--format', 'oci'];
      await buildah(...words, reference, `oci:${layout}:${TAG}`);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Its name has the version of it. */
function libvips(): string {
  const folder = join(ROOT, VIPS);
  const [file] = readdirSync(folder).filter((name) => name.includes('.so.'));
  return join(folder, String(file));
}
