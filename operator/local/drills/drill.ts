import type { Policy } from '../../../crds/wire/policy.ts';
import type { Clock } from '../../clock.ts';
import type { Decision } from '../../lifecycle/types.ts';
import type { StartedServer } from '../fleet-start.ts';
import type { SettledRequest } from '../replay/infer-client.ts';
import type { InferAnswer } from '../replay/infer-codec.ts';
import type { ReportDrill } from '../report/report-schema.ts';

/** What a drill sees of the run, and does to it. */
export interface DrillWorld {
  readonly clock: Clock;
  readonly startedMs: number;
  /** Rows sent so far. */
  readonly sent: () => number;
  /** Requests that failed so far. */
  readonly failed: () => number;
  readonly servers: readonly StartedServer[];
  /** A line for the terminal that stays. */
  readonly onNote: (line: string) => void;
  /** Ends the run: the drill broke what it could not mend. */
  readonly onFatal: (error: Error) => void;
}

/** One injected fault. Every method but `report` may be left out; they are called as the run goes on. */
export interface Drill {
  readonly onSent?: (sentRows: number) => void;
  readonly onAttempt?: (dataUrl: string) => void;
  readonly onSettled?: (settled: SettledRequest) => void;
  readonly onAnswer?: (answer: InferAnswer, latencyMs: number) => void;
  readonly onDecision?: (decision: Decision) => void;
  readonly onInForce?: (policy: Policy) => void;
  readonly stop?: () => Promise<void>;
  /** What happened so far; complete once the run is over. */
  report(): ReportDrill;
}

/** When a drill struck, as a report says it. */
export interface Strike {
  readonly atSeconds: number;
  readonly atRequest: number;
  readonly failedBefore: number;
}

export function strikeNow({ clock, startedMs, sent, failed }: DrillWorld): Strike {
  return {
    atSeconds: Math.max(0, clock.nowMs() - startedMs) / 1000,
    atRequest: sent(),
    failedBefore: failed(),
  };
}

/** A drill whose request never came. */
export function notReached(
  kind: ReportDrill['kind'],
  flag: string,
  message = 'The run ended before this request.',
): ReportDrill {
  return {
    kind,
    flag,
    message,
    ...{ atSeconds: null, atRequest: null },
    ...{ failedRequests: 0, held: null, recoveredSeconds: null, drifted: null },
  };
}
