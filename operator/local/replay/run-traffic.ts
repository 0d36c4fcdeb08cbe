import type { EvidenceWindow } from '../../../crds/wire/evidence.ts';
import type { Report } from '../report/report-schema.ts';
import type { Truth } from '../report/true-disagreement.ts';
import type { Replay } from './replay.ts';

/** Where the requests of a run come from: rows that it sends itself, or those of the user. */
export interface RunTraffic {
  readonly replay: Replay;
  /** Recorded rows that end collecting. */
  readonly collectRows: () => number;
  /** Rows that may be evidence; null: nobody knows. */
  readonly evidenceRows: number | null;
  /** The first row that was sent before; null: none was. */
  readonly repeatsFrom: () => number | null;
  /** Each evidence window as it comes. */
  readonly onWindow: (window: EvidenceWindow) => void;
  readonly facts: () => Omit<Report['traffic'], 'source' | 'headSource'>;
  /** Runs the backbone on every early row; null where rows were not kept, or it was stopped. */
  compare(isStopped: () => boolean): Promise<Truth | null>;
  /** After Ctrl-C a request waits for no server that is gone. */
  giveUp(): void;
  close(): void;
}
