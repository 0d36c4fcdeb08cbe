import type { DrillOptions } from './drills/drill-options.ts';
import type { Child } from './processes/child.ts';
import type { ViewOutput } from './view/run-view.ts';

/** Flags of `layercache local run`, parsed: base units, null where a flag was left out. */
export interface RunOptions {
  readonly manifestPath: string;
  readonly traffic: string;
  readonly headTraffic: string | null;
  readonly labels: string | null;
  readonly requests: number | null;
  readonly forMs: number | null;
  readonly loop: boolean;
  readonly rate: number | null;
  readonly concurrency: number;
  readonly replicas: number;
  /** In place of the manifest's; null: as there. */
  readonly sourceHeader: string | null;
  readonly seed: number;
  readonly reportDir: string | null;
  readonly stateDir: string | null;
  readonly requireCertificate: boolean;
  readonly events: boolean;
  readonly pace: 'fast' | 'real';
  readonly engine: string | null;
  readonly port: number;
  /** Null: no web page; 0: a free port. */
  readonly dashboardPort: number | null;
  readonly drills: DrillOptions;
  /** As typed, for the report. */
  readonly command: string;
}

/** The world around a run. */
export interface RunIo {
  /** dist/bundle: the programs that are started. */
  readonly bundleDir: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdout: ViewOutput;
  readonly stderr: ViewOutput;
  readonly isTerminal: boolean;
  readonly debug: boolean;
  /** Aborted by the first Ctrl-C. */
  readonly interrupt: AbortSignal;
  /** Every process that is started: the second Ctrl-C kills them. */
  readonly onChild: (child: Child) => void;
}
