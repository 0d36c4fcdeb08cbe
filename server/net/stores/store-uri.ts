import type { Result } from '../../../crds/wire/result.ts';

/** An object in an S3 bucket. */
export interface S3Place {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without a slash at either end; empty: the bucket itself. */
  readonly key: string;
}

/** A repository of an OCI registry, or an artifact in it. */
export interface OciPlace {
  readonly kind: 'oci';
  /** `host` or `host:port`. */
  readonly registry: string;
  readonly repository: string;
  /** Tag, or `sha256:<64 hex>` of a manifest; null: the repository itself. */
  readonly reference: string | null;
}

export type StorePlace = S3Place | OciPlace;

const S3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([!-~]*))?$/;
const OCI =
  /^oci:\/\/([A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-f:.]+\](?::\d{1,5})?)\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?:@(sha256:[0-9a-f]{64})|:([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$/;

/** `s3://BUCKET/KEY` or `oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]` -> place. */
export function parseStoreUri(uri: string): Result<StorePlace> {
  const [, bucket, path = ''] = S3.exec(uri) ?? [];
  if (bucket !== undefined) {
    const key = path.replace(/^\/+|\/+$/g, '');
    const isPlain = !key.split('/').some((part) => part === '.' || part === '..');
    if (isPlain) return { ok: true, value: { kind: 's3', bucket, key } };
  }
  const [, registry, repository, digest, tag] = OCI.exec(uri) ?? [];
  if (registry !== undefined && repository !== undefined) {
    const reference = digest ?? tag ?? null;
    return { ok: true, value: { kind: 'oci', registry, repository, reference } };
  }
  return {
    ok: false,
    code: 'Invalid',
    message: `${uri.slice(0, 200)} is no place of a bundle; write s3://BUCKET/KEY or oci://REGISTRY/REPOSITORY:TAG`,
  };
}

/** Where a bundle lies in a bucket: under its own digest, 64 hex. */
export function objectIn(store: S3Place, hex: string): S3Place {
  return { ...store, key: store.key === '' ? hex : `${store.key}/${hex}` };
}

/** Whether credentials for one place are meant for the other: the same bucket, or the same registry. */
export function isSameStore(a: StorePlace, b: StorePlace): boolean {
  if (a.kind === 's3') return b.kind === 's3' && a.bucket === b.bucket;
  return b.kind === 'oci' && a.registry === b.registry;
}

/** As a person would write it. */
export function showPlace(place: StorePlace): string {
  if (place.kind === 's3') return `s3://${place.bucket}${place.key === '' ? '' : `/${place.key}`}`;
  const { registry, repository, reference } = place;
  const mark = reference?.startsWith('sha256:') === true ? '@' : ':';
  return `oci://${registry}/${repository}${reference === null ? '' : mark + reference}`;
}
