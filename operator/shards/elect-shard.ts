import type { LeaseElector } from '../kube/lease-elector.ts';

/** The candidacy for one shard. */
export interface Candidacy {
  readonly elector: LeaseElector;
  /** Ends it; a Lease that is held is released. */
  readonly withdraw: () => void;
}

/** As one elector: leads the first shard whose Lease it gets, and no other. */
export interface ShardElection extends LeaseElector {
  /** Which; null before it leads. */
  readonly shard: number | null;
}

/** @param candidacies one a shard, in their order; at least one */
export function electShard(candidacies: readonly Candidacy[]): ShardElection {
  let won: number | null = null;
  const leader = (): LeaseElector | null =>
    won === null ? null : (candidacies[won]?.elector ?? null);
  const win = (shard: number): void => {
    // Two Leases may come at once: the second is given back.
    if (won !== null) return;
    won = shard;
    for (const [other, { withdraw }] of candidacies.entries()) if (other !== shard) withdraw();
  };
  const elected = new Promise<boolean>((resolve) => {
    const all = candidacies.map(async ({ elector }, shard) => {
      if (!(await elector.elected)) return;
      win(shard);
      resolve(true);
    });
    void Promise.all(all).then(() => {
      resolve(won !== null);
    });
  });
  return {
    get shard() {
      return won;
    },
    isLeading: () => leader()?.isLeading() === true,
    get holder() {
      const holders = candidacies.map(({ elector }) => elector.holder);
      // While a Lease is free or was not read, this process may lead in a moment.
      const standsBy = holders.includes('') ? '' : (holders[0] ?? '');
      return leader()?.holder ?? standsBy;
    },
    get transitions() {
      return leader()?.transitions ?? 0;
    },
    elected,
    run: async () => {
      const ends = candidacies.map(({ elector }) => elector.run());
      const ended = Promise.all(ends).then(() => false);
      await Promise.race([elected, ended]);
      return (won === null ? undefined : ends[won]) ?? 'Stopped';
    },
  };
}
