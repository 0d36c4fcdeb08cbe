/** Counts of a run at one moment: only ever growing. */
export interface RunCounts {
  readonly atSeconds: number;
  /** Rows answered, in the order of the exits, the backbone last. */
  readonly rows: readonly number[];
  /** Audited rows while a certified lambda was in force, and those of them that disagree. */
  readonly audits: number;
  readonly disagreements: number;
}

/** The course of a whole run in few points, however long it is. */
export interface RunHistory {
  add(counts: RunCounts): void;
  /** Oldest first; `rows` of a point are those since the point before. */
  points(): readonly RunCounts[];
}

/** A plot is 640 units wide: more points than these cannot be told apart. */
const MOST_POINTS = 240;

/** Keeps counts, not differences, so that leaving every second one out loses nothing but resolution. */
export function createRunHistory(): RunHistory {
  let kept: RunCounts[] = [];
  return {
    add: (counts) => {
      const last = kept.at(-1);
      if (last !== undefined && counts.atSeconds <= last.atSeconds) return;
      kept.push(counts);
      // From the newest backwards, which stays.
      if (kept.length > MOST_POINTS) kept = kept.filter((_, i) => (kept.length - i) % 2 === 1);
    },
    points: () =>
      kept.map((counts, i) => {
        const before = kept[i - 1]?.rows ?? [];
        return { ...counts, rows: counts.rows.map((rows, exit) => rows - (before[exit] ?? 0)) };
      }),
  };
}
