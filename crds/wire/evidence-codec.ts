import { WHOLE_LOSS } from './agreement.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import type {
  EvidenceGrid,
  EvidenceStratum,
  EvidenceWindow,
  LatencyDigest,
  LossColumns,
  PackedWindow,
  ServedCounters,
} from './evidence.ts';
import { LAMBDA_COUNT } from './lambda-grid.ts';
import { WIRE_LIMITS } from './limits.ts';
import {
  createVarintReader,
  createVarintWriter,
  type VarintReader,
  type VarintWriter,
} from './varint.ts';

/** Bins of the score histogram of one exit. */
export const SCORE_BINS = 16;
/** More buckets than a digest from a microsecond to a day has. */
const MAX_BUCKETS = 4096;

function pack(write: (writer: VarintWriter) => void): string {
  const writer = createVarintWriter();
  write(writer);
  return encodeBase64(writer.bytes());
}

function unpack<T>(text: string, read: (reader: VarintReader) => T): T | null {
  const bytes = decodeBase64(text);
  if (bytes === null) return null;
  const reader = createVarintReader(bytes);
  const value = read(reader);
  return reader.isDone() ? value : null;
}

function times<T>(count: number, read: () => T): T[] {
  const items = new Array<T>(count);
  for (let index = 0; index < count; index++) items[index] = read();
  return items;
}

/** Neighbouring columns differ little: the differences in j are mostly one byte. */
function writeColumn(writer: VarintWriter, column: readonly number[]): void {
  let previous = 0;
  for (const value of column) {
    writer.signed(value - previous);
    previous = value;
  }
}

function readColumn(reader: VarintReader): number[] {
  const column = new Array<number>(LAMBDA_COUNT);
  let value = 0;
  for (let j = 0; j < LAMBDA_COUNT; j++) {
    value += reader.signed();
    column[j] = value;
  }
  return column;
}

function packGrid(grid: EvidenceGrid): string {
  return pack((writer) => {
    writer.unsigned(grid.n);
    writeColumn(writer, grid.dis);
    for (const column of grid.leave) writeColumn(writer, column);
  });
}

function unpackGrid(text: string, exitCount: number): EvidenceGrid | null {
  return unpack(text, (reader) => ({
    n: reader.unsigned(),
    dis: readColumn(reader),
    leave: times(exitCount, () => readColumn(reader)),
  }));
}

/** Most losses are of no row at all, and take a byte. */
function packLosses(losses: LossColumns): string {
  return pack((writer) => {
    for (const column of losses) {
      const isEmpty = column.every((rows) => rows === 0);
      writer.unsigned(isEmpty ? 0 : 1);
      if (!isEmpty) writeColumn(writer, column);
    }
  });
}

function unpackLosses(text: string): LossColumns | null {
  return unpack(text, (reader) =>
    times(WHOLE_LOSS, () =>
      reader.count(1) === 0 ? new Array<number>(LAMBDA_COUNT).fill(0) : readColumn(reader),
    ),
  );
}

function packStrata(window: EvidenceWindow): string {
  return pack((writer) => {
    for (const exit of window.exits) {
      const strata = window.strata.filter((s) => s.exit === exit);
      strata.sort((a, b) => a.classId - b.classId);
      writer.unsigned(strata.length);
      let previous = -1;
      for (const { classId, audits, disagreements } of strata) {
        writer.unsigned(classId - previous);
        writer.unsigned(audits);
        writer.unsigned(disagreements);
        previous = classId;
      }
    }
  });
}

function unpackStrata(text: string, exits: readonly string[]): EvidenceStratum[] | null {
  return unpack(text, (reader) =>
    exits.flatMap((exit) => {
      let classId = -1;
      return times(reader.count(WIRE_LIMITS.classes), () => {
        classId += reader.unsigned();
        return { exit, classId, audits: reader.unsigned(), disagreements: reader.unsigned() };
      });
    }),
  );
}

function writeDigest(writer: VarintWriter, digest: LatencyDigest): void {
  writer.unsigned(digest.length);
  let previous = 0;
  for (const [bucket, count] of digest) {
    writer.signed(bucket - previous);
    writer.unsigned(count);
    previous = bucket;
  }
}

function readDigest(reader: VarintReader): LatencyDigest {
  let bucket = 0;
  return times(reader.count(MAX_BUCKETS), () => {
    bucket += reader.signed();
    return [bucket, reader.unsigned()] as const;
  });
}

function packServed(served: ServedCounters): string {
  return pack((writer) => {
    for (const rows of served.rows) writer.unsigned(rows);
    writer.unsigned(served.optedOut);
    writer.unsigned(served.forced);
    writer.unsigned(served.errors);
    writer.unsigned(served.numericFallbacks);
    for (const digest of served.latency) writeDigest(writer, digest);
    for (const bins of served.scoreBins) for (const count of bins) writer.unsigned(count);
  });
}

function unpackServed(text: string, exitCount: number): ServedCounters | null {
  return unpack(text, (reader) => ({
    rows: times(exitCount + 1, () => reader.unsigned()),
    optedOut: reader.unsigned(),
    forced: reader.unsigned(),
    errors: reader.unsigned(),
    numericFallbacks: reader.unsigned(),
    latency: times(exitCount + 1, () => readDigest(reader)),
    scoreBins: times(exitCount, () => times(SCORE_BINS, () => reader.unsigned())),
  }));
}

function packJoint(joint: readonly (readonly number[])[]): string {
  return pack((writer) => {
    for (const count of joint.flat()) writer.unsigned(count);
  });
}

type PackedPaired = NonNullable<PackedWindow['paired']>;

function unpackPaired(paired: PackedPaired, exitCount: number): EvidenceWindow['paired'] {
  const joint = unpack(paired.joint, (reader) =>
    times(paired.stableExits.length + 1, () => times(exitCount + 1, () => reader.unsigned())),
  );
  return joint === null ? null : { ...paired, joint };
}

/** Window -> what travels. Strata are sorted by exit and class: their order carries nothing. */
export function packWindow(window: EvidenceWindow): { [K in keyof PackedWindow]: unknown } {
  const { paired, losses } = window;
  return {
    ...window,
    grid: packGrid(window.grid),
    ...(losses === undefined ? {} : { losses: packLosses(losses) }),
    strata: packStrata(window),
    paired: paired === null ? null : { ...paired, joint: packJoint(paired.joint) },
    served: packServed(window.served),
  };
}

/** What travels -> window, or null when some counters cannot be read in full. Laws are checked elsewhere. */
export function unpackWindow(packed: PackedWindow): EvidenceWindow | null {
  const exitCount = packed.exits.length;
  const grid = unpackGrid(packed.grid, exitCount);
  const strata = unpackStrata(packed.strata, packed.exits);
  const served = unpackServed(packed.served, exitCount);
  const paired = packed.paired === null ? null : unpackPaired(packed.paired, exitCount);
  if (grid === null || strata === null || served === null) return null;
  if (packed.paired !== null && paired === null) return null;
  const { losses: packedLosses, ...fields } = packed;
  if (packedLosses === undefined) return { ...fields, grid, strata, paired, served };
  const losses = unpackLosses(packedLosses);
  return losses && { ...fields, grid, losses, strata, paired, served };
}
