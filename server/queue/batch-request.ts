import type { Track } from '../../crds/wire/evidence.ts';
import { isDrawn } from '../core/audit.ts';
import type { BatchRequest } from '../engine/engine-client.ts';
import { RowFlag } from '../engine/engine-client.ts';
import type { Serving } from '../serving.ts';
import { answeringExits } from '../serving.ts';
import type { BatchRow, RowForced } from './batch-log.ts';
import type { PendingRow } from './job.ts';
import type { BatchFrames } from './source-frames.ts';

/**
 * Audited rows per sampled row while exits are on. A sample takes its whole batch over every candidate cut: 30 % of a millisecond
 * model's time at 16 rows per batch (measured). For training 10,000 rows are collected with exits off, or over days of serving.
 */
const SERVING_AUDITS_PER_SAMPLE = 8;

/** What the snapshot makes of a row: its track and audit by the draws it came with, and whether it has a choice. */
export function toBatchRow(row: PendingRow, serving: Serving, nowMs: number): BatchRow {
  const { job } = row.pending;
  const track: Track = isDrawn(job.trackDraw, serving.candidateShare) ? 'candidate' : 'stable';
  const forced = forcedReason(row, serving, track);
  const rate = serving.policy?.auditRate ?? 0;
  const mayAudit = forced !== 'opt_out' && forced !== 'engine_retry';
  const draw = job.auditDraws[row.index] ?? 0xffffffff;
  const audited = mayAudit && isDrawn(draw, rate);
  return {
    track,
    forced,
    audited,
    // The lowest eighth of the draws that audit: as blind to content as the audit itself.
    sampled: audited && (!isServing(serving) || isDrawn(draw, rate / SERVING_AUDITS_PER_SAMPLE)),
    waitedMs: nowMs - job.receivedMs,
  };
}

/** Some row may leave early. */
function isServing(serving: Serving): boolean {
  return (['stable', 'candidate'] as const).some(
    (track) => answeringExits(serving, track).length > 0,
  );
}

function forcedReason(row: PendingRow, serving: Serving, track: Track): RowForced | null {
  if (row.pending.job.forced !== null) return row.pending.job.forced;
  if (row.failures > 0) return 'engine_retry';
  return answeringExits(serving, track).length === 0 ? 'exits_off' : null;
}

export function toRequest(
  rows: readonly PendingRow[],
  batchRows: readonly BatchRow[],
  serving: Serving,
  { isAlone, frames }: { readonly isAlone: boolean; readonly frames: BatchFrames },
): BatchRequest {
  const flags = Uint8Array.from(batchRows, ({ track, audited, sampled, forced }, row) => {
    const key = frames.isKey(row) ? RowFlag.KeyFrame : 0;
    const audit = (audited ? RowFlag.Audit : 0) | (sampled ? RowFlag.Sample : 0);
    const candidate = track === 'candidate' ? RowFlag.Candidate : 0;
    return audit | candidate | key | (forced === null ? 0 : RowFlag.BackboneOnly);
  });
  return {
    planId: serving.planId,
    rows: rows.length,
    datatype: rows[0]?.pending.job.datatype ?? 'FP32',
    input: piecesOf(rows),
    flags,
    isAlone,
    recalled: frames.recalled,
  };
}

/** Views of the rows where their requests left them: rows of one request that lie together are one piece. */
function piecesOf(rows: readonly PendingRow[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let row = rows[at]; row !== undefined; row = rows[at]) {
    const { pending, index } = row;
    let count = 1;
    while (isNext(rows[at + count], pending, index + count)) count += 1;
    const { input, rowBytes } = pending.job;
    pieces.push(input.subarray(index * rowBytes, (index + count) * rowBytes));
    at += count;
  }
  return pieces;
}

function isNext(
  row: PendingRow | undefined,
  pending: PendingRow['pending'],
  index: number,
): boolean {
  return row?.pending === pending && row.index === index;
}
