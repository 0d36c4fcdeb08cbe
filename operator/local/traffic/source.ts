/** Element type of raw rows: unsigned byte, float32, float16, little-endian. */
export type Element = 'u1' | 'f4' | 'f2';

export const ELEMENT_BYTES: Readonly<Record<Element, number>> = { u1: 1, f4: 4, f2: 2 };

/** Rows that can be read again by index: a run reads them in an order of its own, and once more for the final comparison. */
export interface TrafficSource {
  /** As the user wrote it, for messages and the report. */
  readonly name: string;
  readonly rowCount: number;
  /** Without the row axis. Empty: one number per row. */
  readonly rowShape: readonly number[];
  readonly element: Element;
  /** Bytes of one row, C order. The buffer is only valid until the next call. */
  readRow(index: number): Buffer;
  /** Labels that come with the source; for the report only. */
  readonly labels: Int32Array | null;
  /** Of each row the clip that it is a frame of; rows of a clip stand in their order. Absent: the source knows none. */
  readonly clips?: readonly string[];
  /** What of the source could not be read and is left out. */
  readonly skippedRows?: number;
  close(): void;
}

export function rowBytes(source: Pick<TrafficSource, 'rowShape' | 'element'>): number {
  return source.rowShape.reduce((product, size) => product * size, ELEMENT_BYTES[source.element]);
}

/** A source whose rows lie one after the other in memory. */
export function memorySource(
  description: Pick<TrafficSource, 'name' | 'rowShape' | 'element' | 'labels'>,
  rows: Buffer,
): TrafficSource {
  const size = rowBytes(description);
  return {
    ...description,
    rowCount: rows.byteLength / size,
    readRow: (index) => rows.subarray(index * size, (index + 1) * size),
    close: () => undefined,
  };
}
