import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectCommand } from '../run-command.ts';
import { blobPath, jsonBlob, writeOciArchive, type Descriptor } from './oci-archive.ts';

/** An image that another tool has written as an OCI image layout, to be packed under a name. */
export interface LayoutContent {
  /** As in a pod, with a tag: `localhost/layercache-server:test`. */
  readonly name: string;
  /** Folder of the layout, which holds this one image. */
  readonly layout: string;
  /** Further labels: same content, other digest, as a new release is to a rollout. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Layers can have gigabytes. */
const TAR_MS = 300_000;

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export interface ImageConfig {
  readonly architecture: string;
  readonly config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Env?: readonly string[];
    readonly WorkingDir?: string;
    readonly Labels?: Readonly<Record<string, string>>;
  };
}

interface StoredImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** Reads the one image of a layout. */
export function readLayout(layout: string): StoredImage {
  const json = (path: string): unknown => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const { manifests } = json('index.json') as { readonly manifests: readonly Descriptor[] };
  const [descriptor] = manifests;
  if (descriptor === undefined || manifests.length > 1) {
    throw new Error(`${layout} holds ${manifests.length} images, not one`);
  }
  const manifest = json(blobPath(descriptor.digest)) as Manifest;
  return { descriptor, manifest, config: json(blobPath(manifest.config.digest)) as ImageConfig };
}

/** Every file of an image with its size. Of images whose layers only add. */
export async function filesOf(layout: string): Promise<ReadonlyMap<string, number>> {
  const listed = await Promise.all(
    layersOf(layout).map((layer) =>
      expectCommand('tar', ['--list', '--verbose', '--file', layer], { deadlineMs: TAR_MS }),
    ),
  );
  const lines = listed.join('').matchAll(/^-\S+ +\S+ +(\d+) \S+ \S+ (.+)$/gm);
  return new Map([...lines].map(([, size, path]) => [path!.replace(/^\.?\//, ''), Number(size)]));
}

/** Texts of files of an image's last layer, by their paths. */
export async function readFilesOf(
  layout: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), `lc-${process.pid}-`));
  try {
    await unpackFiles(layout, paths, folder);
    return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files of an image's last layer, into a folder that is there. */
export async function unpackFiles(
  layout: string,
  paths: readonly string[],
  folder: string,
): Promise<void> {
  const layer = layersOf(layout).at(-1)!;
  const words = ['--extract', '--file', layer, '--directory', folder, ...paths];
  await expectCommand('tar', words, { deadlineMs: TAR_MS });
}

function layersOf(layout: string): readonly string[] {
  return readLayout(layout).manifest.layers.map(({ digest }) => join(layout, blobPath(digest)));
}

/** Packs a layout as an archive that container runtimes import under the name; returns the digest of the manifest. */
export function packLayout(path: string, { name, layout, labels = {} }: LayoutContent): string {
  const { descriptor, manifest, config } = readLayout(layout);
  const isRelabelled = Object.keys(labels).length > 0;
  const changed = isRelabelled ? relabelled(manifest, config, labels) : [];
  const packed = changed.at(-1)?.descriptor ?? descriptor;
  const kept = readdirSync(join(layout, 'blobs', 'sha256')).map((file) => ({
    path: blobPath(`sha256:${file}`),
    source: join(layout, 'blobs', 'sha256', file),
    mode: 0o644,
  }));
  writeOciArchive(path, {
    ...{ name, manifest: packed },
    blobs: [...changed.map(({ entry }) => entry), ...kept],
  });
  return packed.digest;
}

function relabelled(
  manifest: Manifest,
  config: ImageConfig,
  labels: Readonly<Record<string, string>>,
) {
  const inner = { ...config.config, Labels: { ...config.config.Labels, ...labels } };
  const newConfig = jsonBlob(manifest.config.mediaType, { ...config, config: inner });
  const changed = { ...manifest, config: newConfig.descriptor };
  return [newConfig, jsonBlob('application/vnd.oci.image.manifest.v1+json', changed)];
}
