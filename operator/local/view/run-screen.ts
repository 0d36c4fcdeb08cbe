import type { AgreementName } from '../../../crds/wire/agreement.ts';
import { upperLimit } from '../report/upper-limit.ts';
import type { StageProgress, LifecycleStage } from '../../lifecycle/types.ts';
import { quantile } from '../../../server/core/latency-digest.ts';
import type { Statement } from '../limits/statement.ts';
import { digestOf, type RunTally } from '../report/run-tally.ts';
import type { ExitLine, ScreenModel, StageLine } from './screen-model.ts';

/** Stages as people follow them, and which lifecycle stages they gather. */
const SHOWN: readonly {
  readonly name: string;
  readonly stages: readonly (LifecycleStage | 'Load')[];
}[] = [
  { name: 'Load', stages: ['Load'] },
  { name: 'Collect', stages: ['Collecting'] },
  { name: 'Train', stages: ['Training'] },
  { name: 'Certify', stages: ['Staging', 'Shadowing', 'Recertifying'] },
  { name: 'Ramp', stages: ['Ramping'] },
  { name: 'Serve', stages: ['Serving', 'Idle'] },
];

/** Turns progress into the picture: keeps how long each stage took and how fast rows come. */
export interface RunScreen {
  loaded(seconds: number, message: string): void;
  progress(progress: StageProgress, nowMs: number): void;
  decided(message: string): void;
  model(nowMs: number): ScreenModel;
}

export interface RunScreenOptions {
  readonly title: string;
  readonly addresses: string;
  readonly tally: RunTally;
  readonly exitNames: readonly string[];
  readonly budget: number;
  readonly confidence: number;
  readonly agreement: AgreementName;
  readonly savedRatio: (exit: string) => number | null;
  readonly statements: () => readonly Statement[];
  readonly drills: () => readonly string[];
}

interface Shown {
  seconds: number;
  message: string;
  seen: boolean;
}

export function createRunScreen(options: RunScreenOptions): RunScreen {
  const shown = SHOWN.map((): Shown => ({ seconds: 0, message: '', seen: false }));
  const rate = createRate();
  // Of the rows that count for the stage: of a hundred answered ones two may be audited.
  let stageRate = createRate();
  const exitRates = new Map<string, ReturnType<typeof createRate>>();
  let current: StageProgress | null = null;
  let sinceMs = 0;
  let news = '';

  const indexOf = (stage: LifecycleStage): number =>
    SHOWN.findIndex(({ stages }) => stages.includes(stage));

  const stageLines = (nowMs: number): StageLine[] => {
    const running = current === null ? -1 : indexOf(current.stage);
    return SHOWN.map(({ name }, i) => {
      const { seconds, message, seen } = shown[i] ?? { seconds: 0, message: '', seen: false };
      if (i !== running || current === null) {
        return {
          name,
          status: seen ? 'Done' : 'Waiting',
          rows: 0,
          wantedRows: null,
          seconds,
          leftSeconds: null,
          message,
        };
      }
      return {
        name,
        status: 'Running',
        rows: current.rows,
        wantedRows: current.wantedRows,
        seconds: seconds + (nowMs - sinceMs) / 1000,
        leftSeconds: leftSeconds(current, stageRate(current.rows, nowMs)),
        message: current.message,
      };
    });
  };

  const exitLines = (nowMs: number): ExitLine[] => {
    const counts = rowsByExit(options.tally);
    const total = [...counts.values()].reduce((a, b) => a + b, 0);
    return [...options.exitNames.filter((name) => counts.has(name)), 'backbone'].map((name) => {
      const rows = counts.get(name) ?? 0;
      const exitRate = exitRates.get(name) ?? createRate();
      exitRates.set(name, exitRate);
      const audited = options.tally.run.evidence.exits.get(name);
      const digest = digestOf(options.tally.latency, name);
      return {
        name,
        rowsPerSecond: exitRate(rows, nowMs),
        shareRatio: total === 0 ? 0 : rows / total,
        audits: audited?.audits ?? 0,
        disagreements: audited?.disagreements ?? 0,
        p50Ms: digest.length === 0 ? null : quantile(digest, 0.5) / 1000,
        p99Ms: digest.length === 0 ? null : quantile(digest, 0.99) / 1000,
        savedRatio: options.savedRatio(name),
      };
    });
  };

  return {
    loaded: (seconds, message) => {
      shown[0] = { seconds, message, seen: true };
    },
    progress: (progress, nowMs) => {
      if (current !== null && current.stage !== progress.stage) {
        const left = shown[indexOf(current.stage)];
        if (left !== undefined) left.seconds += (nowMs - sinceMs) / 1000;
      }
      if (current?.stage !== progress.stage) {
        sinceMs = nowMs;
        stageRate = createRate();
      }
      current = progress;
      const entered = shown[indexOf(progress.stage)];
      if (entered !== undefined) entered.seen = true;
    },
    decided: (message) => {
      news = message;
    },
    model: (nowMs) => {
      const { audits, disagreements, busySeconds, plainSeconds } = options.tally.serving.evidence;
      return {
        title: options.title,
        addresses: options.addresses,
        stages: stageLines(nowMs),
        rowsPerSecond: rate(options.tally.run.requests, nowMs),
        exits: exitLines(nowMs),
        audits,
        disagreements,
        upperRatio: upperLimit({ audits, disagreements }, options),
        budgetRatio: options.budget,
        agreement: options.agreement,
        netTimeSavedRatio: plainSeconds > 0 ? 1 - busySeconds / plainSeconds : null,
        errors: options.tally.failed(),
        statements: options.statements(),
        drills: options.drills(),
        news,
      };
    },
  };
}

function rowsByExit(tally: RunTally): Map<string, number> {
  const counts = new Map<string, number>();
  for (const byExit of tally.run.rows.values()) {
    for (const [exit, rows] of byExit) counts.set(exit, (counts.get(exit) ?? 0) + rows);
  }
  return counts;
}

function leftSeconds({ rows, wantedRows }: StageProgress, perSecond: number): number | null {
  if (wantedRows === null || perSecond <= 0 || wantedRows <= rows) return null;
  return (wantedRows - rows) / perSecond;
}

const RATE_SPAN_MS = 3_000;

/** Rows per second over the last three seconds. */
function createRate(): (count: number, nowMs: number) => number {
  const points: { count: number; ms: number }[] = [];
  return (count, ms) => {
    points.push({ count, ms });
    while (points.length > 2 && ms - (points[1]?.ms ?? 0) > RATE_SPAN_MS) points.shift();
    const first = points[0];
    return first === undefined || ms <= first.ms
      ? 0
      : ((count - first.count) * 1000) / (ms - first.ms);
  };
}
