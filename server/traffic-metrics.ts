import type { Track } from '../crds/wire/evidence.ts';
import { exitPlace } from '../crds/wire/exit-place.ts';
import type { BatchOutcome, RowAnswer } from './engine/engine-client.ts';
import { systemClock, type Clock } from './clock.ts';
import { agreementOf } from './core/agreement.ts';
import type { Metrics } from './metrics.ts';
import type { BatchRow, RowRecord } from './queue/batch-log.ts';
import type { AnsweredRow } from './queue/job.ts';
import { rowPrices } from './row-prices.ts';
import type { Serving } from './serving.ts';
import { answeringExits, trackOf } from './serving.ts';

export interface FinishedBatch {
  readonly serving: Serving;
  readonly outcome: BatchOutcome;
  readonly answers: readonly (RowAnswer | undefined)[];
  readonly rows: readonly BatchRow[];
}

/** What traffic does to the figures for people. Decisions never read them. */
export interface TrafficMetrics {
  inFlight(requests: number): void;
  requestAnswered(
    deepest: AnsweredRow,
    seconds: number,
    request: { readonly protocol: 'v1' | 'v2'; readonly traceId: string | null },
  ): void;
  requestRefused(code: string, protocol: 'v1' | 'v2'): void;
  batchStarted(rows: readonly BatchRow[]): void;
  rowAnswered(record: RowRecord): void;
  batchFinished(batch: FinishedBatch): void;
  batchFailed(rows: readonly BatchRow[]): void;
  sampled(counts: { readonly kept: number; readonly skipped: number }): void;
}

export function createTrafficMetrics(metrics: Metrics, clock: Clock = systemClock): TrafficMetrics {
  /** Audited rows that left early and are still run to the end: when they left. */
  const leftMs = new WeakMap<BatchRow, number>();
  let backlog = 0;

  function auditsEnded(rows: readonly BatchRow[]): void {
    backlog -= countAudited(rows);
    metrics.auditBacklog.set({}, backlog);
  }

  return {
    inFlight: (requests) => {
      metrics.requestsInFlight.set({}, requests);
    },
    requestAnswered: ({ exit, track }, seconds, { protocol, traceId }) => {
      metrics.requests.inc({ protocol, code: 'ok' });
      metrics.requestDuration.observe({ exit, track }, seconds, traceId);
    },
    requestRefused: (code, protocol) => {
      metrics.requests.inc({ protocol, code });
    },
    batchStarted: (rows) => {
      metrics.batchRows.observe({}, rows.length);
      backlog += countAudited(rows);
      metrics.auditBacklog.set({}, backlog);
      for (const { waitedMs } of rows) metrics.queueDuration.observe({}, waitedMs / 1000);
    },
    rowAnswered: (record) => {
      const { answer, exit, track, row } = record;
      metrics.rows.inc({ exit, track });
      if (row.forced !== null) metrics.rowsForced.inc({ reason: row.forced });
      const reached = headsReached(record);
      for (const head of reached) metrics.headEvaluations.inc({ exit: head, track });
      if (answer.exit >= 0 && row.audited) leftMs.set(row, clock.monotonicMs());
      priceRow(metrics, record, reached.length);
    },
    batchFinished: (batch) => {
      auditsEnded(batch.rows);
      for (const row of batch.rows) {
        const sinceMs = leftMs.get(row);
        if (sinceMs === undefined) continue;
        metrics.auditDelay.observe({}, (clock.monotonicMs() - sinceMs) / 1000);
      }
      countAudits(metrics, batch);
      const { seconds, segments, nonFiniteHeads } = batch.outcome;
      const names = segmentNames(batch.serving);
      for (const { cut, ms } of segments) {
        metrics.segmentDuration.observe({ segment: names.at(cut) ?? 'whole' }, ms / 1000);
      }
      metrics.computeSeconds.inc({ kind: 'segment' }, seconds.segment);
      metrics.computeSeconds.inc({ kind: 'head' }, seconds.head);
      metrics.computeSeconds.inc({ kind: 'companion' }, seconds.companion);
      metrics.computeSeconds.inc({ kind: 'compact' }, seconds.compact);
      metrics.computeSeconds.inc({ kind: 'audit' }, seconds.audit);
      const numeric = nonFiniteHeads.reduce((sum, { rows }) => sum + rows, 0);
      if (numeric > 0) metrics.rowsForced.inc({ reason: 'numeric' }, numeric);
    },
    batchFailed: (rows) => {
      auditsEnded(rows);
      const lost = countAudited(rows);
      if (lost > 0) metrics.auditsDropped.inc({ reason: 'engine' }, lost);
    },
    sampled: ({ kept, skipped }) => {
      if (kept > 0) metrics.samples.inc({ result: 'kept' }, kept);
      if (skipped > 0) metrics.samples.inc({ result: 'skipped' }, skipped);
    },
  };
}

const knownNames = new WeakMap<Serving, readonly string[]>();

/** Segments of the plan by the exit at their end, in order; then that to the output, and that of the backbone run whole. */
export function segmentNames(serving: Serving): readonly string[] {
  const known = knownNames.get(serving);
  if (known !== undefined) return known;
  const { tracks, samples } = serving.plan;
  const heads = tracks.flatMap(({ bundle }) => bundle.heads);
  const exits = serving.costs.cuts.map(
    (place) =>
      samples.find((sample) => exitPlace(sample) === place)?.name ??
      heads.find((head) => exitPlace(head) === place)?.exit ??
      place,
  );
  const names = [...exits, 'backbone', 'whole'];
  knownNames.set(serving, names);
  return names;
}

function countAudited(rows: readonly BatchRow[]): number {
  return rows.filter(({ audited }) => audited).length;
}

/** Heads that could have answered the row, up to the one that did; none of a row that had no choice. */
function headsReached({ answer, serving, track, row }: RowRecord): readonly string[] {
  if (row.forced !== null) return [];
  const exits = answeringExits(serving, track);
  return answer.exit === -1 ? exits : exits.slice(0, answer.exit + 1);
}

function countAudits(metrics: Metrics, { serving, outcome, answers, rows }: FinishedBatch): void {
  const { unitsOf, rowUnits } = agreementOf(serving.policy ?? {});
  for (const { row, tracks } of outcome.audits) {
    const answer = answers[row];
    const track = rows[row]?.track;
    if (answer === undefined || track === undefined) continue;
    const exit = exitName(serving, track, answer.exit);
    const scored = tracks[serving.plan.tracks.findIndex((planned) => planned.track === track)];
    const lossTenths = scored?.lossTenths[answer.exit] ?? 0;
    metrics.audits.inc({ exit, track, result: lossTenths === 0 ? 'agree' : 'disagree' });
    metrics.auditLoss.inc({ exit, track }, unitsOf(lossTenths) / rowUnits);
    tracks.forEach(({ scores }, i) => {
      const heads = serving.plan.tracks[i]?.bundle.heads ?? [];
      scores.forEach((score, e) => {
        const name = heads[e]?.exit;
        if (name !== undefined && Number.isFinite(score)) {
          metrics.exitDoubt.observe({ exit: name }, 1 - score);
        }
      });
    });
  }
}

function exitName(serving: Serving, track: Track, exit: number): string {
  return trackOf(serving, track)?.bundle.heads[exit]?.exit ?? 'backbone';
}

/** What a row would have cost plain, and what its track saved and spent: both tracks share the busy time of a batch. */
function priceRow(metrics: Metrics, record: RowRecord, heads: number): void {
  const { answer, exit, serving, track, row } = record;
  const prices = rowPrices(serving, track);
  metrics.trackSeconds.inc({ track, kind: 'backbone' }, prices.backbone);
  if (heads > 0) metrics.trackSeconds.inc({ track, kind: 'head' }, prices.heads[heads] ?? 0);
  if (answer.exit === -1) return;
  const avoided = prices.avoided[answer.exit] ?? 0;
  metrics.computeAvoided.inc({ exit }, avoided);
  metrics.trackSeconds.inc({ track, kind: 'avoided' }, avoided);
  if (row.audited) metrics.trackSeconds.inc({ track, kind: 'audit' }, avoided);
}
