import { createHash } from 'node:crypto';

/**
 * The shard of a namespace, 0 to `shards` - 1, equal in every process: rendezvous hashing (Thaler, Ravishankar 1998) by SHA-256. One
 * more shard takes its share from all others, and no namespace moves between those.
 */
export function shardOf(namespace: string, shards: number): number {
  let best = 0;
  let highest = weight(namespace, 0);
  for (let shard = 1; shard < shards; shard++) {
    const own = weight(namespace, shard);
    if (own <= highest) continue;
    best = shard;
    highest = own;
  }
  return best;
}

function weight(namespace: string, shard: number): bigint {
  return createHash('sha256').update(`${shard} ${namespace}`).digest().readBigUInt64BE();
}

/** Whether a namespace is of this shard; asked for each object, so answers are kept. */
export function ownsBy(shard: number, shards: number): (namespace: string) => boolean {
  if (shards === 1) return () => true;
  const known = new Map<string, boolean>();
  return (namespace) => {
    const answer = known.get(namespace) ?? shardOf(namespace, shards) === shard;
    known.set(namespace, answer);
    return answer;
  };
}
