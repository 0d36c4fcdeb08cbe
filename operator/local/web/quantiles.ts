import type { LatencyDigest } from '../../../crds/wire/evidence.ts';
import { countAll, mergeDigests, quantile } from '../../../server/core/latency-digest.ts';
import type { PageQuantiles } from '../page/state/page-state.ts';

/** Of single values in milliseconds, by nearest rank as in the report; null without any. */
export function quantilesOf(values: readonly number[]): PageQuantiles | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return { n: sorted.length, mean, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Of a digest of microseconds, in milliseconds; each is off by at most 1 %. */
export function quantilesOfDigest(digest: LatencyDigest): PageQuantiles | null {
  const n = countAll(digest);
  if (n === 0) return null;
  const at = (q: number): number => quantile(digest, q) / 1000;
  const sum = digest.reduce((total, [bucket, count]) => total + count * BUCKET_MS(bucket), 0);
  return { n, mean: sum / n, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Middle of a bucket of the digest (latency-digest.ts). */
const BUCKET_MS = (bucket: number): number => 1.02 ** (bucket + 0.5) / 1000;

export function mergeAll(digests: Iterable<LatencyDigest>): LatencyDigest {
  let all: LatencyDigest = [];
  for (const digest of digests) all = mergeDigests(all, digest);
  return all;
}

/** What came since an earlier snapshot of the same counters. */
export function digestSince(now: LatencyDigest, then: LatencyDigest): LatencyDigest {
  const before = new Map(then);
  return now
    .map(([bucket, count]) => [bucket, count - (before.get(bucket) ?? 0)] as const)
    .filter(([, count]) => count > 0);
}
