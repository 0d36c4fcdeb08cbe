import type { Track } from '../crds/wire/evidence.ts';
import { isDrawn } from './core/audit.ts';
import type { BatchRequest } from './engine/engine-client.ts';
import type { SampleRecorder } from './evidence/sample-recorder.ts';
import type { WindowRecorder } from './evidence/window-recorder.ts';
import type { BatchObserver } from './queue/batch-log.ts';
import type { Safety } from './safety.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';

export interface ObserverDependencies {
  readonly windows: WindowRecorder;
  readonly samples: SampleRecorder;
  readonly safety: Safety;
  readonly metrics: TrafficMetrics;
}

/** The books of every batch: evidence first, then samples, local safety, and figures for people. */
export function createBatchObserver(dependencies: ObserverDependencies): BatchObserver {
  const { windows, samples, safety, metrics } = dependencies;
  return {
    open: (serving, rows) => {
      const entry = windows.enter(serving);
      metrics.batchStarted(rows);
      return {
        answered: (record) => {
          entry.answered(record);
          metrics.rowAnswered(record);
        },
        finished: (outcome, answers, request) => {
          entry.finished(outcome, rows);
          metrics.batchFinished({ serving, outcome, answers, rows });
          metrics.sampled(samples.offer(serving.plan.samples, outcome.samples));
          safety.onAudits(serving, outcome.audits);
          // A client's own NaN must not switch an exit off for everybody.
          if (outcome.nonFiniteHeads.length > 0 && isFiniteInput(request)) {
            safety.onNumeric(serving, outcome.nonFiniteHeads);
          }
        },
        failed: () => {
          entry.failed(rows);
          metrics.batchFailed(rows);
        },
        close: () => {
          entry.close();
        },
      };
    },
    rowsFailed: (serving, trackDraw, count) => {
      if (serving === null) return;
      const track: Track = isDrawn(trackDraw, serving.candidateShare) ? 'candidate' : 'stable';
      windows.rowsFailed(serving, track, count);
    },
  };
}

function isFiniteInput({ datatype, input }: BatchRequest): boolean {
  if (datatype === 'UINT8') return true;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let offset = 0; offset + 4 <= input.byteLength; offset += 4) {
    if (!Number.isFinite(view.getFloat32(offset, true))) return false;
  }
  return true;
}
