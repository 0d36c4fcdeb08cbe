// Images as their Dockerfiles make them, without Docker: buildah in a folder of its own, on a base made here.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
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

export type ImageName = 'operator' | 'server';

export interface BuiltImage {
  /** Of the manifest. */
  readonly digest: string;
  readonly config: ImageConfig;
}

export interface ImageConfig {
  readonly config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Env?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
}

export interface ImageBuilder {
  /** Builds `localhost/layercache-<name>:<tag>`. */
  build(name: ImageName, tag: string): Promise<BuiltImage>;
  /** Every file of an image with its size, the base's too. */
  files(name: ImageName, tag: string): Promise<ReadonlyMap<string, number>>;
  /** Writes an archive that container runtimes read. */
  archive(name: ImageName, tag: string, path: string): Promise<void>;
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
  const folder = mkdtempSync(join(tmpdir(), 'layercache-images-'));
  const store = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const buildah = (...args: readonly string[]): Promise<string> =>
    expectCommand('buildah', [...store, '--storage-driver', 'vfs', ...args], {
      cwd: ROOT,
      deadlineMs: BUILD_MS,
      environment: { BUILDAH_ISOLATION: 'chroot' },
    });
  await expectCommand(process.execPath, ['operator/bundle/image-files.mjs', 'linux-x64'], {
    cwd: ROOT,
  });
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
  const reference = (name: ImageName, tag: string): string => `localhost/layercache-${name}:${tag}`;
  return {
    build: async (name, tag) => {
      await buildah(
        ...['bud', '--quiet', '--timestamp', '0', '--no-cache', '--pull-never'],
        ...['--build-arg', `BASE_IMAGE=${baseId}`, '--build-arg', 'VERSION=0.1.0'],
        ...['--file', `${name}/Dockerfile`, '--tag', reference(name, tag), '.'],
      );
      const inspected = await buildah('inspect', '--type', 'image', reference(name, tag));
      const { OCIv1, FromImageDigest } = JSON.parse(inspected) as {
        readonly OCIv1: ImageConfig;
        readonly FromImageDigest: string;
      };
      return { digest: FromImageDigest, config: OCIv1 };
    },
    files: async (name, tag) => {
      const container = (await buildah('from', '--pull-never', reference(name, tag))).trim();
      const root = (await buildah('mount', container)).trim();
      const listed = await expectCommand('find', [root, '-type', 'f', '-printf', '%s %P\\n']);
      await buildah('rm', container);
      return new Map(
        listed
          .trim()
          .split('\n')
          .map((line) => {
            const at = line.indexOf(' ');
            return [line.slice(at + 1), Number(line.slice(0, at))] as const;
          }),
      );
    },
    archive: async (name, tag, path) => {
      const to = `docker-archive:${path}:${reference(name, tag)}`;
      await buildah('push', '--quiet', reference(name, tag), to);
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

/** As written in the repository. */
export function dockerfileOf(name: ImageName): string {
  return readFileSync(join(ROOT, name, 'Dockerfile'), 'utf8');
}
