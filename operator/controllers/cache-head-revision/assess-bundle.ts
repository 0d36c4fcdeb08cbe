import type { CacheHeadRevisionSpec } from '../../../crds/v1alpha1/cache-head-revision.ts';
import { MAX_CONFIG_MAP_BUNDLE_BYTES } from '../../../crds/v1alpha1/head-revision-rules.ts';
import type { BundleHead, HeadBundle } from '../../../crds/wire/head-bundle.ts';
import { verifyBundle, type VerifiedBundle } from '../../fleet/pull-bundle.ts';

/** Condition `Available` of a revision, without its times. */
export interface BundleVerdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason:
    | 'Verified'
    | 'BundleMissing'
    | 'DigestMismatch'
    | 'Malformed'
    | 'HeadTooLarge'
    | 'WaitingForReplicas';
  /** A sentence; with the next step unless the bundle is verified. */
  readonly message: string;
}

export function unavailable(
  reason: Exclude<BundleVerdict['reason'], 'Verified' | 'WaitingForReplicas'>,
  message: string,
): BundleVerdict {
  return { status: 'False', reason, message };
}

/** What a revision says of its bundle, held against the bytes that lie in the store. Size and digest first: only then is it parsed. */
export function assessBundle(spec: CacheHeadRevisionSpec, bytes: Uint8Array): BundleVerdict {
  if (bytes.length > MAX_CONFIG_MAP_BUNDLE_BYTES) {
    return unavailable(
      'HeadTooLarge',
      `The bundle has ${bytes.length} bytes and a ConfigMap may hold ${MAX_CONFIG_MAP_BUNDLE_BYTES}: store it in s3 or oci and set spec.bundle.uri.`,
    );
  }
  const verified = verifyBundle(bytes, spec.bundle.digest);
  if (!verified.ok) {
    return verified.code === 'DigestMismatch'
      ? unavailable(
          'DigestMismatch',
          `spec.bundle.digest is not that of the stored file: ${verified.message}. Restore the right file.`,
        )
      : unavailable(
          'Malformed',
          `The bundle cannot be read: ${verified.message.replace(/\.$/, '')}.`,
        );
  }
  return assessContent(spec, verified.value);
}

/** The same for a bundle whose digest is known to be right. */
export function assessContent(
  spec: CacheHeadRevisionSpec,
  { bytes, bundle }: Pick<VerifiedBundle, 'bytes' | 'bundle'>,
): BundleVerdict {
  const difference = findSizeDifference(spec, bytes) ?? findDifference(spec, bundle);
  if (difference !== null) {
    return unavailable(
      'Malformed',
      `${difference}. Create another revision that says what its bundle holds.`,
    );
  }
  return {
    status: 'True',
    reason: 'Verified',
    message: `The bundle has its digest, and ${spec.exits.length === 1 ? 'a head for 1 exit' : `heads for ${spec.exits.length} exits`}.`,
  };
}

function findSizeDifference({ bundle }: CacheHeadRevisionSpec, bytes: Uint8Array): string | null {
  if (bundle.sizeBytes === bytes.length) return null;
  return `spec.bundle.sizeBytes is ${bundle.sizeBytes}, the bundle has ${bytes.length} bytes`;
}

function findDifference(spec: CacheHeadRevisionSpec, bundle: HeadBundle): string | null {
  if (spec.backboneDigest !== bundle.backboneDigest) {
    return `spec.backboneDigest is ${spec.backboneDigest}, the bundle was trained on ${bundle.backboneDigest}`;
  }
  if (spec.classCount !== bundle.classCount) {
    return `spec.classCount is ${spec.classCount}, the bundle tells ${bundle.classCount} classes apart`;
  }
  const told = spec.exits.map(describeExit).join(', ');
  const found = bundle.heads.map(describeHead).join(', ');
  return told === found ? null : `spec.exits is ${told}, the bundle has ${found}`;
}

/** In order: activeExits of a policy are a beginning of the bundle's exits. */
function describeExit({ name, tensor, pool, hidden, modelDigest }: Exit): string {
  return modelDigest === undefined
    ? `${name} (${String(tensor)}, pool ${String(pool)}, hidden ${String(hidden)})`
    : `${name} (${modelDigest})`;
}

type Exit = CacheHeadRevisionSpec['exits'][number];

function describeHead({ exit, tensor, pool, hidden, modelDigest }: BundleHead): string {
  return modelDigest === null
    ? `${exit} (${String(tensor)}, pool ${pool}, hidden ${hidden})`
    : `${exit} (${modelDigest})`;
}
