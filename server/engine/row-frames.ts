// Answered rows as typed columns and blobs.
import type { RowAnswer } from './engine-client.ts';
import type { RowsHeader } from './protocol.ts';

export function toRowsFrame(rows: readonly RowAnswer[]): {
  readonly header: RowsHeader;
  readonly blobs: readonly Uint8Array[];
} {
  return {
    header: {
      rows: Int32Array.from(rows, ({ row }) => row),
      exits: Int32Array.from(rows, ({ exit }) => exit),
      scores: Float64Array.from(rows, ({ score }) => score),
      classIds: Int32Array.from(rows, ({ classId }) => classId),
      outputCounts: Int32Array.from(rows, ({ outputs }) => outputs.length),
    },
    blobs: rows.flatMap(({ outputs }) =>
      outputs.map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
    ),
  };
}

export function fromRowsFrame(header: RowsHeader, blobs: readonly Uint8Array[]): RowAnswer[] {
  let next = 0;
  return Array.from(header.rows, (row, index) => {
    const start = next;
    next += header.outputCounts[index] ?? 0;
    return {
      row,
      exit: header.exits[index] ?? -1,
      score: header.scores[index] ?? NaN,
      classId: header.classIds[index] ?? 0,
      outputs: blobs
        .slice(start, next)
        .map((blob) => new Float32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4)),
    };
  });
}
