import type { SampleBatch } from '../../crds/wire/samples.ts';

/** Keeps an even share of a batch's rows (1 keeps the batch itself): by position, so the choice is blind to content. */
export function thinBatch(batch: SampleBatch, share: number): SampleBatch {
  if (share >= 1) return batch;
  const kept = Array.from({ length: batch.rowCount }, (_, row) => row).filter(
    (row) => Math.floor((row + 1) * share) > Math.floor(row * share),
  );
  const width = batch.topCount;
  return {
    ...batch,
    rowCount: kept.length,
    sequence: Float64Array.from(kept, (row) => batch.sequence[row] ?? NaN),
    minute: pickRows(batch.minute, kept, 1),
    teacherClass: pickRows(batch.teacherClass, kept, 1),
    teacherTopClasses: pickRows(
      batch.teacherTopClasses,
      kept,
      batch.teacherTopClasses.length === 0 ? 0 : width,
    ),
    teacherLogProbabilities: pickRows(batch.teacherLogProbabilities, kept, width),
    features: batch.features.map((bits, e) =>
      pickRows(bits, kept, batch.exits[e]?.featureCount ?? 0),
    ),
  };
}

function pickRows<T extends Uint16Array | Uint32Array | Float32Array>(
  table: T,
  rows: readonly number[],
  width: number,
): T {
  const out = table.slice(0, rows.length * width) as T;
  for (const [i, row] of rows.entries()) {
    out.set(table.subarray(row * width, (row + 1) * width), i * width);
  }
  return out;
}
