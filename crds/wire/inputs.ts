import { z } from 'zod';

import { decodeArray, elementCount, encodeArray } from './array-codec.ts';
import { readBinaryFile, writeBinaryFile, type BinaryKind } from './binary-file.ts';
import { isFiniteHalf } from './half-float.ts';
import { canonicalJson, checkShape, refuse } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import { isAscending } from './row-order.ts';
import * as shapes from './shapes.ts';

/**
 * Input rows of sampled requests, for a student alone. They exist only where a manifest asks for it (`heads.training.student`), have an
 * endpoint and a right of their own, and are never in any other document.
 */
export interface InputBatch {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  readonly backboneDigest: string;
  /** Of the backbone's first input, without its first axis. */
  readonly rowShape: readonly number[];
  readonly rowCount: number;
  /** Ask again with after = nextAfter; equal to the last sequence in the batch, or the given `after` when empty. */
  readonly nextAfter: number;
  /** The row's number in sample batches of the same pod and boot, ascending. */
  readonly sequence: Float64Array;
  /** fp16 bits [rows, ...rowShape], as the backbone takes them. */
  readonly inputs: Uint16Array;
}

const kind: BinaryKind = {
  name: 'batch of inputs',
  magic: 'LCIB',
  maxBytes: WIRE_LIMITS.sampleBatchBytes,
  maxHeaderBytes: WIRE_LIMITS.sampleHeaderBytes,
  nextStep: 'its rows are not used, ask the server again',
};

const headerSchema = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  podUid: shapes.token,
  bootId: shapes.token,
  backboneDigest: shapes.digest,
  rowShape: z.array(shapes.ordinal).min(1).max(8),
  rowCount: shapes.counter.max(WIRE_LIMITS.sampleRows),
  nextAfter: shapes.counter,
});

/** Batch -> file. The caller keeps within `WIRE_LIMITS`. */
export function encodeInputBatch({ sequence, inputs, ...header }: InputBatch): Uint8Array {
  return writeBinaryFile(kind.magic, canonicalJson(header), [
    encodeArray('float64', sequence),
    encodeArray('float16', inputs),
  ]);
}

/** File -> batch; refuses what a sample batch is refused for. Arrays are copies. */
export function parseInputBatch(bytes: Uint8Array): Result<InputBatch> {
  const parts = readBinaryFile(bytes, kind);
  if (!parts.ok) return parts;
  const header = checkShape(parts.value.header, headerSchema, kind);
  if (!header.ok) return header;
  const { rowCount, rowShape, nextAfter } = header.value;
  const { blob } = parts.value;
  const sequenceBytes = 8 * rowCount;
  const values = rowCount === 0 ? 0 : (elementCount([rowCount, ...rowShape]) ?? Infinity);
  if (blob.length !== sequenceBytes + 2 * values) {
    return refuse(
      kind,
      'Invalid',
      `its arrays do not take exactly the ${blob.length} bytes of the blob`,
    );
  }
  const sequence = decodeArray('float64', blob.subarray(0, sequenceBytes));
  const inputs = decodeArray('float16', blob.subarray(sequenceBytes));
  if (!isAscending(sequence) || (rowCount > 0 && sequence.at(-1) !== nextAfter)) {
    return refuse(kind, 'Invalid', 'sequence does not ascend in whole numbers to nextAfter');
  }
  if (!inputs.every(isFiniteHalf)) return refuse(kind, 'Invalid', 'a value is not finite');
  return { ok: true, value: { ...header.value, sequence, inputs } };
}
