// OCI image archives (image-spec 1.1, image layout in a tar file), and the blobs of JSON in them.
import { createHash } from 'node:crypto';
import { writeTarFile, type TarEntry } from './tar-file.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface JsonBlob {
  readonly descriptor: Descriptor;
  readonly entry: TarEntry;
}

export function jsonBlob(mediaType: string, value: object): JsonBlob {
  const content = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return {
    descriptor: { mediaType, digest, size: Buffer.byteLength(content) },
    entry: { path: blobPath(digest), content },
  };
}

export function blobPath(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`;
}

export interface ArchiveContent {
  /** Under which container runtimes import the image. */
  readonly name: string;
  readonly manifest: Descriptor;
  /** The manifest and all that it names. */
  readonly blobs: readonly TarEntry[];
}

/** Packs one image. */
export function writeOciArchive(path: string, { name, manifest, blobs }: ArchiveContent): void {
  const { mediaType, digest, size } = manifest;
  const annotations = { 'io.containerd.image.name': name };
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size, annotations }] };
  writeTarFile(path, [
    { path: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: JSON.stringify(index) },
    ...blobs,
  ]);
}
