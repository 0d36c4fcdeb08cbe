import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TarEntry } from './tar-file.ts';
import { writeTarFile } from './tar-file.ts';

export interface ImageContent {
  /** As in a pod, with a tag: `localhost/layercache-server:test`. */
  readonly name: string;
  /** Lowest first. */
  readonly layers: readonly (readonly TarEntry[])[];
  readonly entrypoint: readonly string[];
  readonly user?: string;
  readonly workingFolder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

const layerType = 'application/vnd.oci.image.layer.v1.tar';
const configType = 'application/vnd.oci.image.config.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

/**
 * Packs files as an OCI image archive (image-spec 1.1, image layout in a tar file), without any image tool: the same
 * content gives the same digest. Returns the digest of the manifest.
 */
export function writeImageArchive(path: string, image: ImageContent): string {
  const scratch = mkdtempSync(join(dirname(path), 'image-'));
  try {
    const layers = image.layers.map((entries, index) => {
      const source = join(scratch, `${index}.tar`);
      return { source, ...writeTarFile(source, entries) };
    });
    const config = blob(configType, imageConfig(image, layers));
    const manifest = blob(manifestType, {
      schemaVersion: 2,
      mediaType: manifestType,
      config: config.descriptor,
      layers: layers.map(({ sha256, sizeBytes }) => ({
        mediaType: layerType,
        digest: `sha256:${sha256}`,
        size: sizeBytes,
      })),
    });
    const index = {
      schemaVersion: 2,
      manifests: [
        { ...manifest.descriptor, annotations: { 'io.containerd.image.name': image.name } },
      ],
    };
    writeTarFile(path, [
      { path: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
      { path: 'index.json', content: JSON.stringify(index) },
      config.entry,
      manifest.entry,
      ...layers.map(({ sha256, source }) => ({ path: `blobs/sha256/${sha256}`, source })),
    ]);
    return manifest.descriptor.digest;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function imageConfig(image: ImageContent, layers: readonly { sha256: string }[]): object {
  const { entrypoint, user = '65532:65532', workingFolder = '/', environment, labels } = image;
  const created = '1970-01-01T00:00:00Z';
  return {
    ...{ architecture: 'amd64', os: 'linux', created },
    config: {
      User: user,
      Entrypoint: entrypoint,
      WorkingDir: workingFolder,
      Env: Object.entries({ PATH: '/usr/bin:/bin', ...environment }).map(([k, v]) => `${k}=${v}`),
      Labels: labels ?? {},
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ sha256 }) => `sha256:${sha256}`) },
    history: layers.map(() => ({ created })),
  };
}

function blob(mediaType: string, value: object) {
  const content = JSON.stringify(value);
  const hex = createHash('sha256').update(content).digest('hex');
  return {
    descriptor: { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(content) },
    entry: { path: `blobs/sha256/${hex}`, content },
  };
}
