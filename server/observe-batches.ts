import type { Track } from '../crds/wire/evidence.ts';
import type { BackboneWatch } from './backbone-watch.ts';
import { isDrawn } from './core/audit.ts';
import type { DriftWatch } from './drift-watch.ts';
import type { InputRecorder } from './evidence/input-recorder.ts';
import type { SampleRecorder } from './evidence/sample-recorder.ts';
import type { WindowRecorder } from './evidence/window-recorder.ts';
import type { BatchObserver } from './queue/batch-log.ts';
import type { InferJob } from './queue/job.ts';
import type { Safety } from './safety.ts';
import type { TrafficMetrics } from './traffic-metrics.ts';

export interface ObserverDependencies {
  readonly windows: WindowRecorder;
  readonly samples: SampleRecorder;
  /** Null: no input row is held. */
  readonly inputs: {
    readonly recorder: InputRecorder;
    readonly toRow: (bytes: Uint8Array, datatype: InferJob['datatype']) => Float32Array;
  } | null;
  readonly safety: Safety;
  readonly drift: DriftWatch;
  readonly backbone: BackboneWatch;
  readonly metrics: TrafficMetrics;
}

/** The books of every batch: evidence first, then samples, local safety, and figures for people. */
export function createBatchObserver(dependencies: ObserverDependencies): BatchObserver {
  const { windows, samples, inputs, safety, drift, backbone, metrics } = dependencies;
  return {
    open: (serving, rows, inputOf) => {
      const entry = windows.enter(serving);
      metrics.batchStarted(rows);
      return {
        answered: (record) => {
          entry.answered(record);
          drift.onAnswered(record);
          metrics.rowAnswered(record);
        },
        finished: (outcome, answers) => {
          entry.finished(outcome, rows);
          metrics.batchFinished({ serving, outcome, answers, rows });
          metrics.sampled(
            samples.offer(serving.plan.samples, outcome.samples, ({ row }, sequence) => {
              if (inputs === null) return;
              const input = inputOf(row);
              if (input === null) return;
              inputs.recorder.offer(sequence, inputs.toRow(input.bytes, input.datatype));
            }),
          );
          drift.onAudits(serving, outcome.audits);
          safety.onAudits(serving, outcome.audits);
          safety.onNumeric(serving, outcome.nonFiniteHeads);
          if (outcome.nonFiniteRows.length > 0) backbone.onNonFinite(outcome.nonFiniteRows.length);
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
