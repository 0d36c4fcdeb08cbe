// What every batch says, as blobs of numbers: a structured clone of each header cost more than the rows of a small model.
import type {
  BatchOutcome,
  BatchRequest,
  RecalledRow,
  RowAnswer,
  SegmentTime,
} from './engine-client.ts';
import { encodeFrame, encodeParts, FrameError, type Frame } from './frames.ts';
import type { InputPlace } from './input-memory.ts';

/** Plan, rows, datatype, offset and bytes of an input that is not in the frame. */
const BATCH_NUMBERS = 5;
const DATATYPES = ['FP32', 'UINT8'] as const;
/** Numbers per answered row: row, exit, score, class, outputs. */
const ROW_NUMBERS = 5;
/** Kinds of seconds of a batch. */
const SECONDS = 6;
/** Numbers per segment that ran: cut, milliseconds. */
const SEGMENT_NUMBERS = 2;

/** A batch as the engine host gets it. */
export interface ReceivedBatch {
  readonly planId: number;
  readonly rows: number;
  readonly datatype: BatchRequest['datatype'];
  /** In the frame, or where it lies in the memory that both sides share. */
  readonly input: Uint8Array | InputPlace;
  readonly flags: Uint8Array;
  readonly recalled: readonly RecalledRow[];
}

/** Few batches have one. */
interface BatchHeader {
  readonly recalled: readonly RecalledRow[];
}

/**
 * Pieces to be written one after the other: rows lie where their requests left them.
 * @param place of the input when it is not in the frame
 */
export function encodeBatch(
  id: number,
  batch: BatchRequest,
  place: InputPlace | null,
): readonly Uint8Array[] {
  const { planId, rows, datatype, input, flags, recalled = [] } = batch;
  const header: BatchHeader | null = recalled.length === 0 ? null : { recalled };
  const kind = DATATYPES.indexOf(datatype);
  const numbers = Float64Array.of(planId, rows, kind, place?.offset ?? -1, place?.bytes ?? 0);
  const blobs = [bytesOf(numbers), flags];
  const parts = place === null ? input : [];
  return encodeParts({ kind: 'run', id, header, blobs, parts });
}

/** Throws FrameError. */
export function decodeBatch({ blobs, header }: Frame): ReceivedBatch {
  const [numbers, flags, input] = blobs;
  if (numbers?.length !== 8 * BATCH_NUMBERS || flags === undefined || input === undefined) {
    throw new FrameError('a batch without its parts');
  }
  const { planId, rows, datatype, place } = toSettings(toDoubles(numbers));
  if (datatype === undefined || flags.length !== rows)
    throw new FrameError('a batch of unknown kind');
  const { recalled } = (header as BatchHeader | null) ?? { recalled: [] };
  return { planId, rows, datatype, flags, input: place ?? input, recalled };
}

function toSettings([planId = -1, rows = 0, kind = -1, offset = -1, bytes = 0]: Float64Array): {
  readonly planId: number;
  readonly rows: number;
  readonly datatype: BatchRequest['datatype'] | undefined;
  readonly place: InputPlace | null;
} {
  const place = offset < 0 ? null : { offset, bytes };
  return { planId, rows, datatype: DATATYPES[kind], place };
}

/** Answered rows. */
export function encodeRows(id: number, rows: readonly RowAnswer[]): Buffer {
  const table = new Float64Array(rows.length * ROW_NUMBERS);
  const blobs = [bytesOf(table)];
  let at = 0;
  for (const { row, exit, score, classId, outputs } of rows) {
    table[at] = row;
    table[at + 1] = exit;
    table[at + 2] = score;
    table[at + 3] = classId;
    table[at + 4] = outputs.length;
    at += ROW_NUMBERS;
    for (const output of outputs) blobs.push(bytesOf(output));
  }
  return encodeFrame({ kind: 'rows', id, header: null, blobs });
}

/** Throws FrameError. */
export function decodeRows({ blobs }: Frame): readonly RowAnswer[] {
  const [table, ...outputs] = blobs;
  if (table === undefined || table.length % (8 * ROW_NUMBERS) !== 0) {
    throw new FrameError('answers without their table');
  }
  const numbers = new Float64Array(table.buffer, table.byteOffset, table.length / 8);
  const rows: RowAnswer[] = [];
  let next = 0;
  for (let at = 0; at < numbers.length; at += ROW_NUMBERS) {
    const count = numbers[at + 4] ?? 0;
    rows.push({
      row: numbers[at] ?? -1,
      exit: numbers[at + 1] ?? -1,
      score: numbers[at + 2] ?? NaN,
      classId: numbers[at + 3] ?? 0,
      outputs: outputs
        .slice(next, next + count)
        .map((blob) => new Float32Array(blob.buffer, blob.byteOffset, blob.byteLength / 4)),
    });
    next += count;
  }
  return rows;
}

/** The end of a batch; null: it brings more than seconds, and travels as an answer. */
export function encodeDone(id: number, outcome: BatchOutcome): Buffer | null {
  const { audits, samples, keyFrames = [], nonFiniteRows, nonFiniteHeads } = outcome;
  const { seconds, segments } = outcome;
  const isPlain = [audits, samples, keyFrames, nonFiniteRows, nonFiniteHeads].every(
    ({ length }) => length === 0,
  );
  if (!isPlain) return null;
  const { segment, head, companion, compact, audit, plain } = seconds;
  const numbers = new Float64Array(SECONDS + SEGMENT_NUMBERS * segments.length);
  numbers.set([segment, head, companion, compact, audit, plain]);
  let at = SECONDS;
  for (const { cut, ms } of segments) {
    numbers[at] = cut;
    numbers[at + 1] = ms;
    at += SEGMENT_NUMBERS;
  }
  return encodeFrame({ kind: 'done', id, header: null, blobs: [bytesOf(numbers)] });
}

/** Throws FrameError. */
export function decodeDone({ blobs }: Frame): BatchOutcome {
  const [numbers] = blobs;
  const values = toDoubles(numbers);
  const rest = values.length - SECONDS;
  if (rest < 0 || rest % SEGMENT_NUMBERS !== 0) {
    throw new FrameError('an end of a batch without its seconds');
  }
  const [segment = NaN, head = NaN, companion = NaN, compact = NaN, audit = NaN, plain = NaN] =
    values;
  return {
    audits: [],
    samples: [],
    nonFiniteRows: [],
    nonFiniteHeads: [],
    seconds: { segment, head, companion, compact, audit, plain },
    segments: toSegments(values.subarray(SECONDS)),
  };
}

/** Whole numbers of a blob; none of a blob that is cut. */
function toDoubles(blob: Uint8Array | undefined): Float64Array {
  if (blob === undefined || blob.length % 8 !== 0) return new Float64Array(0);
  return new Float64Array(blob.buffer, blob.byteOffset, blob.length / 8);
}

function toSegments(numbers: Float64Array): SegmentTime[] {
  const segments: SegmentTime[] = [];
  for (let at = 0; at < numbers.length; at += SEGMENT_NUMBERS) {
    segments.push({ cut: numbers[at] ?? NaN, ms: numbers[at + 1] ?? NaN });
  }
  return segments;
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
