import { createHash } from 'node:crypto';
import { parseHeadBundle, type HeadBundle } from '../../crds/wire/head-bundle.ts';
import { WIRE_LIMITS } from '../../crds/wire/limits.ts';
import type { Result } from '../../crds/wire/result.ts';
import { refusal, type AdminClient } from './admin-client.ts';

export interface VerifiedBundle {
  readonly headRevision: string;
  readonly bytes: Uint8Array;
  readonly bundle: HeadBundle;
}

const BUNDLE_DEADLINE_MS = 30_000;

/** Pulls the trainer's bundle and believes none of it: the digest is recomputed before the bytes are parsed. */
export async function pullBundle(
  client: AdminClient,
  digest: string,
): Promise<Result<VerifiedBundle>> {
  const answer = await client.call({
    method: 'GET',
    path: '/v1/bundle',
    deadlineMs: BUNDLE_DEADLINE_MS,
    maxBytes: WIRE_LIMITS.headBundleBytes,
  });
  if (!answer.ok) return answer;
  if (answer.value.status !== 200) return refusal('GET /v1/bundle', answer.value);
  return verifyBundle(answer.value.body, digest);
}

/** `digest` is `sha256:<64 hex>` of the file. */
export function verifyBundle(bytes: Uint8Array, digest: string): Result<VerifiedBundle> {
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (actual !== digest) {
    return {
      ok: false,
      code: 'DigestMismatch',
      message: `the bundle has ${actual}, not ${digest}: it is not used`,
    };
  }
  const parsed = parseHeadBundle(bytes);
  return parsed.ok
    ? { ok: true, value: { headRevision: actual, bytes, bundle: parsed.value } }
    : parsed;
}
