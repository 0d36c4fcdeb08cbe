import type { LifecycleStage } from '../lifecycle/types.ts';
import type { Report } from './report/report-schema.ts';

/** Which stage a run was in, when, and how many requests it answered meanwhile: Load first, Comparing last. */
export interface PhaseLog {
  enter(stage: LifecycleStage | 'Comparing', nowMs: number, requests: number): void;
  /** Ends the last phase. */
  close(nowMs: number, requests: number): Report['phases'];
}

interface Open {
  readonly stage: string;
  readonly startMs: number;
  readonly requests: number;
}

export function createPhaseLog(startedMs: number): PhaseLog {
  const phases: Report['phases'] = [];
  let open: Open = { stage: 'Load', startMs: startedMs, requests: 0 };
  const end = (nowMs: number, requests: number): void => {
    phases.push({
      stage: open.stage,
      startSeconds: (open.startMs - startedMs) / 1000,
      seconds: Math.max(0, nowMs - open.startMs) / 1000,
      requests: requests - open.requests,
    });
  };
  return {
    enter: (stage, nowMs, requests) => {
      if (stage === open.stage) return;
      end(nowMs, requests);
      open = { stage, startMs: nowMs, requests };
    },
    close: (nowMs, requests) => {
      end(nowMs, requests);
      return phases;
    },
  };
}
