/** What goes wrong, what holds all the same, and who shows it. */
export interface FaultRow {
  readonly fault: string;
  readonly holds: string;
  /** Titles as they are written, by file from `test/` on. In `*.long.ts`: the long run. */
  readonly tests?: Readonly<Record<string, readonly string[]>>;
  /** Why it cannot happen, where nothing needs to be tested. */
  readonly impossible?: string;
  /** What of the row no test shows yet. */
  readonly open?: string;
}

export type FaultRows = Readonly<Record<string, FaultRow>>;
