import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';

/** How sure the heads are: rows by logit of the score, per exit of the newest head revision. */
export interface DoubtCounter {
  add(window: EvidenceWindow, nowMs: number): void;
  of(exit: string, nowMs: number): { all: number[]; recent: number[] } | null;
}

const BINS = 16;
const RECENT_MS = 60_000;

interface Entry {
  readonly atMs: number;
  readonly bins: ReadonlyMap<string, readonly number[]>;
}

export function createDoubtCounter(): DoubtCounter {
  let revision: string | null = null;
  let all = new Map<string, number[]>();
  let recent: Entry[] = [];
  return {
    add: (window, nowMs) => {
      if (window.headRevision === null) return;
      if (window.headRevision !== revision) {
        // Windows of an older revision that is still in force beside the candidate start nothing anew.
        if (window.track === 'stable' && revision !== null && window.share < 1) return;
        revision = window.headRevision;
        all = new Map();
        recent = [];
      }
      const bins = new Map(
        window.exits.map((exit, e) => [exit, window.served.scoreBins[e] ?? []] as const),
      );
      for (const [exit, counts] of bins) all.set(exit, sum(all.get(exit) ?? none(), counts));
      recent.push({ atMs: nowMs, bins });
    },
    of: (exit, nowMs) => {
      const total = all.get(exit);
      if (total === undefined) return null;
      recent = recent.filter(({ atMs }) => nowMs - atMs <= RECENT_MS);
      const latest = recent.reduce((counts, { bins }) => sum(counts, bins.get(exit) ?? []), none());
      return { all: [...total], recent: latest };
    },
  };
}

function none(): number[] {
  return new Array<number>(BINS).fill(0);
}

function sum(a: readonly number[], b: readonly number[]): number[] {
  return a.map((count, bin) => count + (b[bin] ?? 0));
}
