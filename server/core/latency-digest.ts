// Latencies in logarithmic buckets of ratio 1.02: a quantile is off by at most 1 %, and digests of pods add.
import type { LatencyDigest } from '../../crds/wire/evidence.ts';
import { invariant } from './invariant.ts';

/** Counts of an open window. */
export interface LatencyCounter {
  add(microseconds: number): void;
  /** Sparse, ascending; adding goes on afterwards. */
  snapshot(): LatencyDigest;
}

const BUCKET_RATIO = 1.02;
/** Three hours; longer ones count here. */
const LONGEST_MICROSECONDS = 1e10;

/** Bucket b with 1.02^b <= microseconds < 1.02^(b+1). Below one microsecond and NaN give 0; above three hours the bucket of three hours. */
export function bucketOf(microseconds: number): number {
  if (!(microseconds > 1)) return 0;
  const duration = Math.min(microseconds, LONGEST_MICROSECONDS);
  // The quotient of logarithms can miss a border by a rounding error: aim above it, then step back.
  const bucket = Math.floor(Math.log(duration) / Math.log(BUCKET_RATIO) + 1e-9);
  return BUCKET_RATIO ** bucket > duration ? bucket - 1 : bucket;
}

/** Opens the latencies of one window. */
export function createLatencyCounter(): LatencyCounter {
  const counts = new Map<number, number>();
  return {
    add: (microseconds) => {
      const bucket = bucketOf(microseconds);
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    },
    snapshot: () => toDigest(counts),
  };
}

function toDigest(counts: ReadonlyMap<number, number>): LatencyDigest {
  return [...counts].sort(([a], [b]) => a - b);
}

/** Adds digests; associative and commutative. */
export function mergeDigests(a: LatencyDigest, b: LatencyDigest): LatencyDigest {
  const counts = new Map(a);
  for (const [bucket, count] of b) counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  return toDigest(counts);
}

/** Number of durations in a digest. */
export function countAll(digest: LatencyDigest): number {
  return digest.reduce((sum, [, count]) => sum + count, 0);
}

/** Durations in buckets above that of `microseconds`: what a latency guard counts against its limit. */
export function countAbove(digest: LatencyDigest, microseconds: number): number {
  const limit = bucketOf(microseconds);
  return countAll(digest.filter(([bucket]) => bucket > limit));
}

/** The q-quantile in microseconds (middle of its bucket); q in 0..1, else InvariantError. An empty digest gives NaN. */
export function quantile(digest: LatencyDigest, q: number): number {
  invariant(q >= 0 && q <= 1, `quantile ${q}`);
  const rank = q * countAll(digest);
  let seen = 0;
  const found = digest.find(([, count]) => (seen += count) >= rank);
  return found ? BUCKET_RATIO ** (found[0] + 0.5) : NaN;
}
