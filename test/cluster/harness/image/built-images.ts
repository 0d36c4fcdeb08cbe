// Images as their Dockerfiles make them, without Docker: buildah in a folder of its own, on a base made here.
import { mkdtempSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { enginesDir } from '../../../support/native-tensorflow.ts';
import { releasedNode } from '../../../support/released-node.ts';
import { expectCommand } from '../run-command.ts';
import { writeImageArchive } from './image-archive.ts';
import { whyMissing } from '../missing-program.ts';
import { nodeLayer } from './node-layer.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const ONNX = 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1';
const VIPS = 'node_modules/@img/sharp-libvips-linux-x64/lib';
const CONTEXT = 'context';
const BASE = 'localhost/layercache-base:test';
const BUILD_MS = 600_000;
const DOWNLOAD_MS = 900_000;
/** Of images in their layouts. */
export const TAG = 'product';

export type ImageName =
  'operator' | 'server' | 'server-tensorflow' | 'server-gpu' | 'server-tensorflow-gpu';

interface Recipe {
  readonly build: readonly string[];
  /** Script that lays out what the image has beside the server's. */
  readonly further?: readonly string[];
}

const GPU_FILES = 'operator/bundle/gpu-files.mjs';
const serverFor = (target: string): readonly string[] => [
  ...['--file', join(ROOT, 'server/Dockerfile'), '--target', target],
];
const RECIPES: Readonly<Record<ImageName, Recipe>> = {
  operator: { build: ['--file', join(ROOT, 'operator/Dockerfile')] },
  server: { build: serverFor('server') },
  'server-tensorflow': {
    build: serverFor('tensorflow'),
    further: ['operator/bundle/tensorflow-files.mjs'],
  },
  'server-gpu': { build: serverFor('gpu'), further: [GPU_FILES] },
  'server-tensorflow-gpu': {
    build: serverFor('tensorflow-gpu'),
    further: [GPU_FILES, '--image', 'server-tensorflow-gpu'],
  },
};

/** Folders of OCI image layouts with one image each, by the name of the image. */
export type ImageLayouts = Readonly<Partial<Record<ImageName, string>>>;

export interface BuildOptions {
  /** Folder of a project whose packages are those for arm64: images for it, on no base, which nothing here can run. */
  readonly arm64Packages?: string;
}

/** Null: images can be built here. */
export function whyNoImages(): string | null {
  if (process.getuid?.() !== 0) return 'images are built as root';
  if (process.arch !== 'x64') return 'images are built for x64 here';
  return whyMissing({ buildah: 'buildah' });
}

/** Builds images and writes each as an OCI image layout, its layers not compressed. Nothing else of it stays on this machine. */
export async function buildImages(
  layouts: ImageLayouts,
  options: BuildOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-images-`));
  try {
    await layOutFiles(folder, Object.keys(layouts) as ImageName[], options);
    await buildFrom(folder, layouts, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the Dockerfiles copy, as the context of the builds in the folder; for cards a download of gigabytes. */
async function layOutFiles(
  folder: string,
  images: readonly ImageName[],
  { arm64Packages }: BuildOptions,
): Promise<void> {
  const output = ['--output', join(folder, CONTEXT, 'dist', 'images')];
  const platform =
    arm64Packages === undefined
      ? ['--platform', 'linux-x64']
      : ['--platform', 'linux-arm64', '--packages', arm64Packages];
  const files = ['operator/bundle/image-files.mjs', ...platform, ...output];
  await expectCommand(process.execPath, files, { cwd: ROOT });
  for (const { further } of images.map((name) => RECIPES[name])) {
    if (further === undefined) continue;
    await expectCommand(process.execPath, [...further, ...output], {
      ...{ cwd: ROOT, deadlineMs: DOWNLOAD_MS },
      // Not where tests that install one would put it.
      environment: { LAYERCACHE_ENGINES_DIR: enginesDir },
    });
  }
}

async function buildFrom(
  folder: string,
  layouts: ImageLayouts,
  { arm64Packages }: BuildOptions,
): Promise<void> {
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const buildah: Buildah = (...args) =>
    expectCommand('buildah', [...store, '--storage-driver', 'vfs', ...args], {
      cwd: ROOT,
      deadlineMs: BUILD_MS,
      environment: { BUILDAH_ISOLATION: 'chroot' },
    });
  const isForeign = arm64Packages !== undefined;
  const base = isForeign ? 'scratch' : await pullBase(folder, buildah);
  for (const [name, layout] of Object.entries(layouts) as [ImageName, string][]) {
    const reference = `localhost/layercache-${name}:${TAG}`;
    await buildah(
      ...['bud', '--quiet', '--timestamp', '0', '--no-cache', '--pull-never'],
      ...['--build-arg', `BASE_IMAGE=${base}`, '--build-arg', 'VERSION=0.1.0'],
      ...(isForeign ? ['--platform', 'linux/arm64'] : []),
      ...[...RECIPES[name].build, '--tag', reference, join(folder, CONTEXT)],
    );
    const words = ['push', '--quiet', '--disable-compression', '--format', 'oci'];
    await buildah(...words, reference, `oci:${layout}:${TAG}`);
  }
}

type Buildah = (...args: readonly string[]) => Promise<string>;

/** What stands in for the released base; returns how builds name it. */
async function pullBase(folder: string, buildah: Buildah): Promise<string> {
  const base = await writeBase(folder);
  return (await buildah('pull', '--quiet', `oci-archive:${base}`)).trim();
}

/** Writes what stands in for the released base into the folder; resolves with the path of the archive. */
export async function writeBase(folder: string): Promise<string> {
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
  return base;
}

/** Its name has the version of it. */
function libvips(): string {
  const folder = join(ROOT, VIPS);
  const [file] = readdirSync(folder).filter((name) => name.includes('.so.'));
  return join(folder, String(file));
}
