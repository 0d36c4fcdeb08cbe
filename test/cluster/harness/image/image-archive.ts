import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blobPath, jsonBlob, writeOciArchive } from './oci-archive.ts';
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
 * Packs files as an OCI image archive, without any image tool: the same content gives the same digest. Returns the
 * digest of the manifest.
 */
export function writeImageArchive(path: string, image: ImageContent): string {
  const scratch = mkdtempSync(join(dirname(path), 'image-'));
  try {
    const layers = image.layers.map((entries, index) => {
      const source = join(scratch, `${index}.tar`);
      const { sha256, sizeBytes } = writeTarFile(source, entries);
      return { source, sizeBytes, digest: `sha256:${sha256}` };
    });
    const config = jsonBlob(configType, imageConfig(image, layers));
    const manifest = jsonBlob(manifestType, {
      schemaVersion: 2,
      mediaType: manifestType,
      config: config.descriptor,
      layers: layers.map(({ digest, sizeBytes }) => ({
        ...{ mediaType: layerType, digest, size: sizeBytes },
      })),
    });
    const ofLayers = layers.map(({ digest, source }) => ({ path: blobPath(digest), source }));
    writeOciArchive(path, {
      ...{ name: image.name, manifest: manifest.descriptor },
      blobs: [config.entry, manifest.entry, ...ofLayers],
    });
    return manifest.descriptor.digest;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function imageConfig(image: ImageContent, layers: readonly { digest: string }[]): object {
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
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created })),
  };
}
