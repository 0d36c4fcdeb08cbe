import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BatchOutcome, RowAnswer } from '../../../../server/engine/engine-client.ts';
import {
  decodeBatch,
  decodeDone,
  decodeRows,
  encodeBatch,
  encodeDone,
  encodeRows,
} from '../../../../server/engine/batch-frames.ts';
import {
  encodeFrame,
  FrameError,
  FrameReader,
  type Frame,
} from '../../../../server/engine/frames.ts';

const frame: Frame = {
  kind: 'answer',
  id: 7,
  header: { score: NaN, scores: Float64Array.of(0.5, NaN) },
  blobs: [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)],
};
const bare: Frame = { kind: 'pong', id: 0, header: null, blobs: [] };

function read(bytes: Uint8Array, cuts: readonly number[] = []): Frame[] {
  const reader = new FrameReader();
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  return places
    .slice(1)
    .flatMap((end, index) => reader.push(Buffer.from(bytes.slice(places[index], end))));
}

describe('frames', () => {
  test('come out as they went in, wherever the stream is cut', () => {
    const bytes = Buffer.concat([encodeFrame(frame), encodeFrame(bare), encodeFrame(frame)]);
    const place = fc.integer({ min: 0, max: bytes.length });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 6 }), (cuts) => {
        expect(read(bytes, cuts)).toEqual([frame, bare, frame]);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  test('give blobs that any typed array can view', () => {
    const bytes = Buffer.concat([encodeFrame(bare), encodeFrame(frame)]);
    for (const cuts of [[], [20]]) {
      for (const blob of read(bytes, cuts)[1]!.blobs) expect(blob.byteOffset % 8).toBe(0);
    }
  });

  test.each([
    ['another magic', (bytes: Buffer) => bytes.writeUInt8(0, 4)],
    ['an unknown kind', (bytes: Buffer) => bytes.writeUInt8(99, 5)],
    ['a size below the least', (bytes: Buffer) => bytes.writeUInt32LE(3, 0)],
    ['a size above the most', (bytes: Buffer) => bytes.writeUInt32LE(2 ** 31, 0)],
    ['blobs that do not fit', (bytes: Buffer) => bytes.writeUInt32LE(1000, 16)],
    ['more blobs than bytes', (bytes: Buffer) => bytes.writeUInt16LE(60_000, 6)],
    ['a header that is none', (bytes: Buffer) => bytes.fill(0xee, 28, 60)],
  ])('of garbage are refused: %s', (_, spoil) => {
    for (const cuts of [[], [2]]) {
      const bytes = encodeFrame(frame);
      spoil(bytes);
      expect(() => read(bytes, cuts)).toThrow(FrameError);
    }
  });
});

describe('a batch on its way', () => {
  const pieces = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6, 7, 8)];
  const batch = {
    planId: 3,
    rows: 2,
    datatype: 'UINT8',
    input: pieces,
    flags: Uint8Array.of(1, 8),
  } as const;

  test('keeps its rows in one piece at the other end', () => {
    const [received] = read(Buffer.concat(encodeBatch(5, batch, null)));
    expect(received).toMatchObject({ kind: 'run', id: 5, header: null });
    expect(decodeBatch(received!)).toEqual({
      ...batch,
      input: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      recalled: [],
    });
  });

  test('names the place of an input that is not in it', () => {
    const place = { offset: 2 ** 40, bytes: 2 ** 20 };
    const [received] = read(Buffer.concat(encodeBatch(5, batch, place)));
    expect(decodeBatch(received!)).toEqual({ ...batch, input: place, recalled: [] });
  });

  test('of another kind, or without flags for its rows, is refused', () => {
    const [received] = read(Buffer.concat(encodeBatch(5, { ...batch, rows: 3 }, null)));
    expect(() => decodeBatch(received!)).toThrow(FrameError);
    expect(() => decodeBatch(bare)).toThrow(FrameError);
  });

  test('brings back answers bit by bit, scores that are no numbers too', () => {
    const answers: RowAnswer[] = [
      { row: 1, exit: 0, score: 0.75, classId: 4, outputs: [Float32Array.of(1, 2)] },
      {
        row: 0,
        exit: -1,
        score: NaN,
        classId: 9,
        outputs: [Float32Array.of(NaN), Float32Array.of(3, 4)],
      },
    ];
    const [received] = read(encodeRows(5, answers));
    expect(decodeRows(received!)).toEqual(answers);
    expect(() => decodeRows(bare)).toThrow(FrameError);
  });

  test('ends in numbers alone unless it brings audits, samples or faults', () => {
    const plain: BatchOutcome = {
      audits: [],
      samples: [],
      nonFiniteRows: [],
      nonFiniteHeads: [],
      seconds: { segment: 1, head: 2, companion: 6, compact: 3, audit: 4, plain: 5 },
      segments: [
        { cut: 0, ms: 1.5 },
        { cut: 2, ms: 0.25 },
      ],
    };
    const [received] = read(encodeDone(5, plain)!);
    expect(decodeDone(received!)).toEqual(plain);
    expect(encodeDone(5, { ...plain, nonFiniteRows: [1] })).toBeNull();
    expect(() => decodeDone(bare)).toThrow(FrameError);
  });
});
