import type { Clock } from '../../clock.ts';
import { COLLECT_ROWS } from '../../lifecycle/collecting.ts';
import { planDrift } from '../drills/planned-drift.ts';
import { findHardestClass } from '../drills/hardest-class.ts';
import type { RunDrills } from '../drills/run-drills.ts';
import { answerOutputOf } from '../answer-output.ts';
import { comparingExit } from '../exit-discovery.ts';
import type { RunTally } from '../report/run-tally.ts';
import { countTrueDisagreement } from '../report/true-disagreement.ts';
import type { RunContext } from '../run-context.ts';
import { countClips } from '../traffic/clips.ts';
import { loadModelDescription } from '../traffic/model-description.ts';
import { createRowEncoder } from '../traffic/row-encoder.ts';
import type { TrafficSource } from '../traffic/source.ts';
import { planTraffic } from '../traffic/traffic-plan.ts';
import { createInferClient } from './infer-client.ts';
import { createInferCodec } from './infer-codec.ts';
import { createReplay } from './replay.ts';
import { rowsPerRequest } from './rows-per-request.ts';
import type { RunTraffic } from './run-traffic.ts';

export interface ReplayedTrafficOptions {
  readonly context: RunContext;
  readonly traffic: TrafficSource;
  readonly clock: Clock;
  readonly tally: RunTally;
  readonly drills: RunDrills;
  /** Whether heads will be trained. */
  readonly trains: boolean;
  /** Samples that the servers keep. */
  readonly recorded: () => number;
  readonly closeWindows: () => Promise<void>;
  readonly onCompared: (done: number, total: number) => void;
}

const COMPARISONS = 4;

/** The rows of --traffic, sent by this run: in a known order, counted, and read again for the comparison with the backbone. */
export function createReplayedTraffic(given: ReplayedTrafficOptions): RunTraffic {
  const { context, traffic, clock, tally, drills } = given;
  const { options, settings, servers, state } = context;
  const encoder = createRowEncoder(
    traffic,
    state.backbone.inputs,
    loadModelDescription(context.backbone.path),
  );
  const sourceHeader = comparingExit(context.exits)?.sourceHeader ?? null;
  const drift = options.drills.drift;
  let hardestClass = NaN;
  const plan = planTraffic({
    ...options,
    ...given,
    headTraffic: context.headTraffic,
    classCount: state.backbone.classCount,
    keepsOrder: sourceHeader !== null,
    drift:
      drift &&
      planDrift(drift, {
        traffic,
        modelRowShape: encoder.rowShape,
        labels: context.labels,
        hardestClass: () => hardestClass,
        seed: options.seed,
        onBegin: drills.onDriftBegan,
      }),
  });
  const output = answerOutputOf(state.backbone, options.manifestPath);
  const rowsAtOnce = rowsPerRequest(encoder.rowBytes, settings.limits);
  const client = createInferClient({
    dataUrls: () =>
      servers.flatMap(({ server }) =>
        server.child.hasEnded || drills.isDown(server.podUid) ? [] : [server.dataUrl],
      ),
    modelName: settings.model,
    codec: createInferCodec(encoder, output),
    clock,
    timeoutMs: settings.limits.requestTimeoutMs,
    sourceHeader,
    onAttempt: drills.onAttempt,
    onSettled: drills.onSettled,
  });
  const replay = createReplay({
    plan,
    client,
    clock,
    concurrency: options.concurrency,
    rate: options.rate,
    maxRows: options.loop ? options.requests : null,
    onSent: drills.onSent,
    prepare: async () => {
      const { labels } = context;
      if (drift?.kind !== 'classes' || labels === null) return;
      const found = await findHardestClass(client, {
        traffic,
        labels,
        seed: options.seed,
        rowsPerRequest: rowsAtOnce,
      });
      hardestClass = found.label;
      tally.optedOut += found.asked;
    },
    hooks: {
      onAnswer: (row, answer, latencyMs) => {
        tally.addAnswer(row, answer, latencyMs);
        drills.onAnswer(answer, latencyMs);
      },
      onError: tally.addError,
      onOptedOut: () => {
        tally.optedOut += 1;
      },
      closeWindows: given.closeWindows,
    },
  });
  return {
    replay,
    // Rows that were not finite, or did not fit the recorder, never come: what is there then has to do.
    collectRows: () =>
      Math.min(
        COLLECT_ROWS,
        replay.isTrainingSpent ? Math.max(1, given.recorded()) : plan.trainingRows,
      ),
    evidenceRows: options.loop ? null : plan.servingRows,
    repeatsFrom: () => plan.repeatsFrom,
    onWindow: () => undefined,
    facts: () => ({
      droppedDuplicates: plan.droppedDuplicates,
      skippedRows: plan.skippedRows + (traffic.skippedRows ?? 0),
      repeated: plan.repeatsFrom !== null,
      ...(sourceHeader === null ? {} : { clips: countClips(traffic) }),
    }),
    compare: (isStopped) =>
      countTrueDisagreement(tally.early, {
        client,
        output,
        agreement: settings.agreement,
        labels: context.labels,
        rowsPerRequest: rowsAtOnce,
        concurrency: COMPARISONS,
        isStopped,
        onProgress: given.onCompared,
      }),
    giveUp: () => {
      client.giveUp();
    },
    close: () => {
      client.close();
    },
  };
}
