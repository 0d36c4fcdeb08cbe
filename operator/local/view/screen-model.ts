import type { AgreementName } from '../../../crds/wire/agreement.ts';
import type { Statement } from '../limits/statement.ts';

/** A stage as people follow it: Load, Collect, Train, Certify, Ramp, Serve. */
export interface StageLine {
  readonly name: string;
  readonly status: 'Waiting' | 'Running' | 'Done';
  readonly rows: number;
  /** Null: it waits for something else than rows. */
  readonly wantedRows: number | null;
  readonly seconds: number;
  /** Until the wanted rows at the pace so far; null when that is unknown. */
  readonly leftSeconds: number | null;
  /** What is missing, or what came of it. */
  readonly message: string;
}

export interface ExitLine {
  readonly name: string;
  readonly rowsPerSecond: number;
  readonly shareRatio: number;
  readonly audits: number;
  /** Rows; where the agreement is F1 the sum of their losses. */
  readonly disagreements: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** 1 - path cost, as a share of the backbone's time; null before heads are measured. */
  readonly savedRatio: number | null;
}

/** One picture of a run; whatever prints it adds nothing of its own. */
export interface ScreenModel {
  readonly title: string;
  readonly addresses: string;
  readonly stages: readonly StageLine[];
  readonly rowsPerSecond: number;
  readonly exits: readonly ExitLine[];
  readonly audits: number;
  readonly disagreements: number;
  readonly upperRatio: number;
  readonly budgetRatio: number;
  /** What the budget bounds. */
  readonly agreement: AgreementName;
  readonly netTimeSavedRatio: number | null;
  readonly errors: number;
  /** Known limits that this run meets, for as long as they hold. */
  readonly statements: readonly Statement[];
  /** One sentence per drill: what was injected, and what came of it so far. */
  readonly drills: readonly string[];
  /** Last decision. */
  readonly news: string;
}
